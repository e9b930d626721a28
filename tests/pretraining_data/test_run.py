from albert.pretraining_data.chunks import ChunkSettings
from albert.pretraining_data.masking import MaskingSettings
from albert.pretraining_data.plan import DataSettings, Outputs
from albert.pretraining_data.run import make_data_set, show_examples
from albert.pretraining_data.shards import BuildSettings
from tests.support.data_command import files_below, make


def record_settings(folder):
    return BuildSettings(
        vocab_file=str(folder / "vocab.txt"),
        dupe_factor=2,
        chunks=ChunkSettings(max_seq_length=32),
        masking=MaskingSettings(max_predictions_per_seq=5),
    )


def test_a_program_makes_what_the_command_makes(folder):
    make(folder, output_file=folder / "command" / "zh.tfrecord")
    outputs = Outputs(str(folder / "program" / "zh.tfrecord"))
    make_data_set(DataSettings(str(folder / "text.txt"), outputs, record_settings(folder)), num_workers=1)
    made = files_below(folder / "program")
    assert made == files_below(folder / "command") and "zh.tfrecord" in made


def test_examples_are_shown_and_nothing_is_written(folder, caplog):
    caplog.set_level("INFO")
    before = files_below(folder)
    show_examples(str(folder / "text.txt"), record_settings(folder), 3)
    assert sum(message.startswith("example ") for message in caplog.messages) == 3
    assert files_below(folder) == before
