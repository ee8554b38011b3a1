"""The measure measured: `python -m unittest test_sound`."""

import tempfile
import unittest
from pathlib import Path

import numpy as np

import sound


class HearingTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.voices = sound.voices(Path(cls.folder.name))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def stretch(self, role, start=1.3, seconds=3.0):
        looped = np.tile(self.voices[role].samples, 4)
        return looped[int(start * sound.RATE) : int((start + seconds) * sound.RATE)].copy()

    def test_each_voice_is_heard_in_its_own_band_only(self):
        for speaker in self.voices:
            recording = self.stretch(speaker)
            for role, voice in self.voices.items():
                self.assertEqual(voice.heard_in(recording), role == speaker, (speaker, role))
                self.assertEqual(voice.absent_from(recording), role != speaker, (speaker, role))

    def test_two_voices_are_heard_and_the_third_is_absent(self):
        recording = self.stretch("agent") + self.stretch("supervisor", start=0.4)
        self.assertTrue(self.voices["agent"].heard_in(recording))
        self.assertTrue(self.voices["supervisor"].heard_in(recording))
        self.assertTrue(self.voices["customer"].absent_from(recording))

    def test_every_stretch_of_a_voice_is_loud_enough(self):
        for role, voice in self.voices.items():
            for start in np.arange(0.0, 8.0, 0.5):
                self.assertTrue(voice.heard_in(self.stretch(role, start, 2.0)), (role, start))

    def test_a_voice_is_recognised_beside_music(self):
        time = np.arange(3 * sound.RATE) / sound.RATE
        music = sum(2000 * np.sin(2 * np.pi * hz * time) for hz in (440, 554.4, 659.3, 1318.5, 2217.5))
        for role, voice in self.voices.items():
            self.assertTrue(voice.recognised_in(music + self.stretch(role)), role)
            self.assertFalse(voice.recognised_in(music), (role, voice.best_resemblance(music)))

    def test_a_recording_at_a_higher_rate_is_read_as_any_other(self):
        path = Path(self.folder.name) / "wide.wav"
        for rate in (16000, 48000):
            time = np.arange(rate) / rate
            sound.write(path, 1000 * np.sin(2 * np.pi * 440 * time), rate)
            late = 1000 * np.sin(2 * np.pi * 440 * np.arange(sound.RATE // 2, sound.RATE) / sound.RATE)
            heard = sound.read(path, sound.RATE // 2)
            self.assertEqual(len(heard), len(late))
            self.assertLess(np.max(np.abs(heard - late)[100:-100]), 5)

    def test_nothing_recorded_is_neither_heard_nor_absent(self):
        nothing = np.zeros(0)
        for voice in self.voices.values():
            self.assertFalse(voice.heard_in(nothing))
            self.assertFalse(voice.absent_from(nothing))
            self.assertFalse(voice.recognised_in(nothing))


if __name__ == "__main__":
    unittest.main()
