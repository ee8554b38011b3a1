"""Speech through the whole path, judged by PESQ: prints a table for QUALITY.md.

python3 speech.py PROGRAM FOLDER [FORMAT...]: PROGRAM is the example `speech` of mixminus-testkit; FOLDER
keeps everything heard. Needs sox and espeak-ng, speech from the Debian packages pocketsphinx-testdata and
codec2-examples, and from PyPI numpy and pesq.
"""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy
from pesq import pesq

SECONDS = 8
LIBRIVOX = "/usr/share/pocketsphinx/test/data/librivox/sense_and_sensibility_01_austen_64kb-{}.wav"
RECORDED = [LIBRIVOX.format(n) for n in ("0870", "0880", "0890", "0920", "0930")]
RECORDED += ["/usr/share/codec2/raw/speech_orig_16k.wav"]
SPOKEN = [
    ("en-us", "The agent will be with you in a moment. Please have your order number ready."),
    ("en-gb+f3", "I moved house in March, and since then none of your letters has reached me."),
]
RATES = {"pcmu": 8000, "pcma": 8000, "g722": 16000, "opus": 48000, "opus16": 16000}
NETWORKS = ["codec", "tandem", "clean", "loss", "bursts", "jitter", "fast", "slow", "wifi", "mobile", "personal", "seam"]
NETWORKS += ["leg-clean", "leg-loss", "leg-jitter", "leg-fast", "leg-slow"]
# The speed of the sender's clock, and how often the speech is repeated to last ten minutes.
PPM = {"fast": 500, "slow": -500}
REPEATED = 10


def sox(*arguments, given=None):
    return subprocess.run(["sox", *map(str, arguments)], input=given, check=True, capture_output=True).stdout


def sentences(folder):
    """Each of 8 seconds, at 48 kHz, as loud as speech in ITU-T tests."""
    files = []
    for number, (voice, text) in enumerate(SPOKEN):
        files.append(folder / f"spoken{number}.wav")
        subprocess.run(["espeak-ng", "-v", voice, "-s", "140", "-w", files[-1], text], check=True)
    raw = ("-t", "raw", "-r", 48000, "-e", "signed", "-b", 16, "-c", 1)
    for file in [*RECORDED, *files]:
        made = sox(file, *raw, "-", "rate", "48000", "trim", 0, SECONDS - 1, "pad", 0.5, SECONDS, "trim", 0, SECONDS)
        samples = numpy.frombuffer(made, "<i2").astype(float)
        loud = numpy.sort(samples**2)[len(samples) // 2 :].mean() ** 0.5
        yield (samples * (32768 * 10 ** (-26 / 20) / loud)).clip(-32768, 32767).round().astype("<i2")


def resampled(samples, source, rate):
    if source == rate:
        return samples
    raw = ("-t", "raw", "-e", "signed", "-b", 16, "-c", 1)
    return numpy.frombuffer(sox(*raw, "-r", source, "-", *raw, "-r", rate, "-", given=samples.tobytes()), "<i2")


def scores(reference, heard, rate, ppm=0):
    """PESQ of each sentence: narrow-band at 8 kHz, wide-band else."""
    judged = 8000 if rate == 8000 else 16000
    reference, heard = resampled(reference, rate, judged), resampled(heard, rate, judged)
    length = SECONDS * judged
    for start in range(0, len(reference) - length + 1, length):
        begin = round(start / (1 + ppm * 1e-6))
        window = heard[begin : begin + length]
        if len(window) > length // 2:
            yield pesq(judged, reference[start : start + length], window, "nb" if judged == 8000 else "wb")


def judge(program, folder, form, network):
    reference = numpy.fromfile(folder / f"{RATES[form]}.raw", "<i2")
    source = folder / f"{RATES[form]}.raw"
    ppm = PPM.get(network.removeprefix("leg-"), 0)
    if ppm:
        reference = numpy.tile(reference, REPEATED)
        source = folder / f"{RATES[form]}.long.raw"
        reference.tofile(source)
    heard = folder / f"{form}.{network}.heard.raw"
    arrivals = folder / f"{form}.{network}.arrivals"
    subprocess.run([program, source, heard, form, network, arrivals], check=True)
    return list(scores(reference, numpy.fromfile(heard, "<i2"), RATES[form], ppm))


def main():
    program, folder, forms = sys.argv[1], Path(sys.argv[2]), sys.argv[3:] or list(RATES)
    folder.mkdir(exist_ok=True)
    speech = numpy.concatenate(list(sentences(folder)))
    for rate in {RATES[form] for form in forms}:
        resampled(speech, 48000, rate).tofile(folder / f"{rate}.raw")
    print("| network | " + " | ".join(forms) + " |\n|---|" + "---:|" * len(forms))
    with ThreadPoolExecutor(2) as pool:
        tasks = {(f, n): pool.submit(judge, program, folder, f, n) for n in NETWORKS for f in forms}
        for network in NETWORKS:
            cells = [tasks[form, network].result() for form in forms]
            print(f"| {network} | " + " | ".join(f"{numpy.mean(c):.2f} ({min(c):.2f})" for c in cells) + " |", flush=True)


if __name__ == "__main__":
    main()
