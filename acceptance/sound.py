"""Voices that can be told apart, and who is heard in a recording.

Each voice is speech filtered into a band of its own. A voice is heard where its
band carries energy. Music fills every band, so beside music the waveform
decides: `resemblance` finds the voice itself wherever it is in the recording.
"""

import subprocess
import wave
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

RATE = 8000
HEADER_BYTES = 44
# Beside other voices, two passes through G.711 leave a band about 40 dB below
# the voice that belongs there.
HEARD_DB = -12.0
ABSENT_DB = -28.0
# A second of music resembles a voice up to 0.25, a voice beside louder music from 0.5.
SAME = 0.35
SILENCE = np.array([])
BANDS = {"agent": (300, 900), "customer": (1150, 1750), "supervisor": (2050, 2950)}


@dataclass
class Voice:
    """Speech in a band of its own, repeated for as long as a run may take."""

    band: tuple
    accent: str
    text: str
    wav: Path = None
    samples: np.ndarray = field(default=None, repr=False)

    def make(self, folder, name):
        spoken, period = folder / f"{name}-spoken.wav", folder / f"{name}-period.wav"
        self.wav = folder / f"{name}.wav"
        subprocess.run(["espeak-ng", "-v", self.accent, "-s", "150", "-w", spoken, self.text], check=True)
        dense = ["silence", "-l", "1", "0.02", "1%", "-1", "0.02", "1%"]
        band = ["sinc", f"{self.band[0]}-{self.band[1]}"]
        form = ["-r", str(RATE), "-c", "1", "-b", "16"]
        subprocess.run(["sox", "-D", spoken, *form, period, *dense, *band, "gain", "-n", "-8"], check=True)
        subprocess.run(["sox", period, self.wav, "repeat", "80"], check=True)
        self.samples = read(period)
        return self

    def at(self, rate):
        """The path of the voice at `rate`, for phones that do not resample well."""
        path = self.wav if rate == RATE else self.wav.with_name(f"{self.wav.stem}-{rate}.wav")
        if not path.exists():
            subprocess.run(["sox", "-D", self.wav, "-r", str(rate), path], check=True)
        return path

    def level(self):
        return band_level(self.samples, self.band)

    def loudness_in(self, recording):
        """How loud its band is in `recording`, in dB against the voice itself."""
        return band_level(recording, self.band) - self.level()

    def heard_in(self, recording):
        return len(recording) > 0 and self.loudness_in(recording) > HEARD_DB

    def absent_from(self, recording):
        return len(recording) > 0 and self.loudness_in(recording) < ABSENT_DB

    def recognised_in(self, recording):
        """Whether some second of `recording` is this voice, whatever else sounds."""
        return self.best_resemblance(recording) > SAME

    def best_resemblance(self, recording):
        seconds = [recording[at : at + RATE] for at in range(0, len(recording) - RATE + 1, RATE // 2)]
        return max((resemblance(second, self.samples, self.band) for second in seconds), default=0.0)


def voices(folder):
    """One voice for each role."""
    return {
        "agent": Voice(
            BANDS["agent"],
            "en-us",
            "Thank you for calling. My name is Alex and I am happy to help you with your order.",
        ).make(folder, "agent"),
        "customer": Voice(
            BANDS["customer"],
            "en-gb",
            "I have been waiting for seven weeks, and nobody has answered any of my letters.",
        ).make(folder, "customer"),
        "supervisor": Voice(
            BANDS["supervisor"],
            "en-gb-scotland",
            "Offer the customer a discount, speak slowly, and mention the extra services.",
        ).make(folder, "supervisor"),
    }


def read(path, start=0):
    """What a WAV file of one channel holds at `RATE` from sample `start` on, even while it is written."""
    data = Path(path).read_bytes()
    factor = int.from_bytes(data[24:28], "little") // RATE
    return lowered(samples(data[HEADER_BYTES + 2 * start * factor :]), factor)


def samples(data):
    """Those of 16 bits that are whole in `data`."""
    return np.frombuffer(data[: len(data) // 2 * 2], dtype="<i2").astype(float)


def lowered(samples, factor):
    """`samples` at a rate that is so many times lower."""
    count = len(samples) // factor
    if factor == 1 or not count:
        return samples[:count]
    samples = samples[: count * factor]
    return np.fft.irfft(np.fft.rfft(samples)[: count // 2 + 1], count) / factor


def write(path, samples, rate=RATE):
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(np.clip(samples, -32768, 32767).astype("<i2").tobytes())


def level(samples):
    """In dBFS; silence is -100."""
    power = float(np.mean(samples**2)) if len(samples) else 0.0
    return 10 * np.log10(power / 32768.0**2 + 1e-10)


def only_band(samples, band):
    spectrum = np.fft.rfft(samples)
    frequencies = np.fft.rfftfreq(len(samples), 1 / RATE)
    spectrum[(frequencies < band[0]) | (frequencies > band[1])] = 0
    return np.fft.irfft(spectrum, len(samples))


def band_level(samples, band):
    return level(only_band(samples, band)) if len(samples) else -100.0


def resemblance(second, period, band):
    """The best correlation of `second` with any stretch of `period` that
    repeats, from 0 to 1, within `band`."""
    wanted = only_band(second, band)
    energy = float(np.sum(wanted**2))
    if energy < 1.0:
        return 0.0
    looped = np.concatenate([period, period[: len(wanted)]])
    size = 1 << (len(looped) + len(wanted)).bit_length()
    product = np.fft.rfft(looped, size) * np.conj(np.fft.rfft(wanted, size))
    matches = np.fft.irfft(product, size)[: len(period)]
    sums = np.concatenate([[0.0], np.cumsum(looped**2)])
    energies = sums[len(wanted) :] - sums[: -len(wanted)]
    return float(np.max(np.abs(matches) / np.sqrt(energies[: len(period)] * energy + 1.0)))
