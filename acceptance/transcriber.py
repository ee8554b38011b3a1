"""A transcriber that tells whose voices are in a recording, by their bands, and no word of what they say."""

import subprocess
import sys
import time

import numpy as np

import sound

SECONDS = 2
LOUD_DBFS = -45

time.sleep(SECONDS)
decode = ["ffmpeg", "-v", "error", "-i", "-", "-f", "s16le", "-ac", "1", "-ar", str(sound.RATE), "-"]
audio = subprocess.run(decode, input=sys.stdin.buffer.read(), capture_output=True, check=True).stdout
samples = np.frombuffer(audio, "<i2").astype(float)
loud = [role for role, band in sound.BANDS.items() if sound.band_level(samples, band) > LOUD_DBFS]
print(sys.argv[1], round(len(samples) / sound.RATE), *loud)
