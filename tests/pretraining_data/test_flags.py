import pytest

from albert.base.errors import UsageError
from albert.base.flags import Flags
from albert.pretraining_data.chunks import ChunkSettings
from albert.pretraining_data.flags import build_data_settings, build_record_settings, declare_data_flags
from albert.pretraining_data.masking import MaskingSettings
from albert.pretraining_data.plan import DataSettings, Outputs
from albert.pretraining_data.shards import BuildSettings


def settings_of(*arguments):
    flags = Flags()
    declare_data_flags(flags)
    flags.boolean("overwrite", False, "as each command declares it")
    flags.parse(("--input_file=a.txt", "--vocab_file=vocab.txt") + arguments)
    return build_data_settings(flags, build_record_settings(flags))


def test_flags_that_are_not_given_leave_the_defaults_of_the_settings():
    expected = DataSettings("a.txt", Outputs("zh.tfrecord"), BuildSettings(vocab_file="vocab.txt"))
    assert settings_of("--output_file=zh.tfrecord") == expected
    with pytest.raises(UsageError, match="--output_file must be given"):
        settings_of()


def test_the_published_line_of_a_family_gives_what_its_script_gave(caplog):
    caplog.set_level("INFO")
    zh, google = (settings_of("--output_file=a", *family).build for family in ((), ("--family=google",)))
    assert (zh.masking.ngram, zh.whole_words, zh.chunks.max_seq_length, zh.dupe_factor) == (1, None, 128, 10)
    assert (google.masking.ngram, google.whole_words, google.chunks.max_seq_length) == (3, "chinese", 512)
    assert google.dupe_factor == 40 and google.masking.favor_shorter_ngram
    assert caplog.messages[:1] == [
        "As Google's published script: --do_whole_word_mask=True --max_seq_length=512 --dupe_factor=40 --ngram=3."
    ]


@pytest.mark.parametrize("flag", ["--ngram=3", "--spm_model_file=zh.model", "--favor_shorter_ngram"])
def test_a_flag_of_one_script_names_its_other_defaults(flag, caplog):
    caplog.set_level("INFO")
    settings_of("--output_file=a", flag)
    (message,) = caplog.messages
    assert message.startswith(flag.partition("=")[0] + " is of Google's published script, whose other defaults are")
    assert "--dupe_factor=40" in message and message.endswith("--family=google takes them.")


def test_what_is_given_wins_over_the_family():
    given = ("--family=google", "--nodo_whole_word_mask", "--max_seq_length=64", "--dupe_factor=2", "--ngram=2")
    build = settings_of("--output_file=a", *given).build
    assert (build.masking.ngram, build.whole_words, build.chunks.max_seq_length, build.dupe_factor) == (2, None, 64, 2)
    assert settings_of("--output_file=a", "--ngram=3").build.masking.ngram == 3


def test_several_names_are_a_shard_each():
    assert settings_of("--output_file=a, b,c").outputs == Outputs("a", None, ("b", "c"))


def test_every_flag_reaches_the_settings():
    settings = settings_of(
        "--output_file=zh.tfrecord",
        "--heldout_file=dev.tfrecord",
        "--heldout_share=0.2",
        "--num_shards=7",
        "--overwrite",
        "--spm_model_file=zh.model",
        "--nodo_lower_case",
        "--do_whole_word_mask",
        "--non_chinese",
        "--max_seq_length=64",
        "--short_seq_prob=0.3",
        "--max_predictions_per_seq=11",
        "--masked_lm_prob=0.2",
        "--ngram=2",
        "--nofavor_shorter_ngram",
        "--mask_draw=token",
        "--dupe_factor=4",
        "--random_seed=5",
        "--compression=gzip",
    )
    assert settings == DataSettings(
        "a.txt",
        Outputs("zh.tfrecord", "dev.tfrecord"),
        BuildSettings(
            vocab_file="vocab.txt",
            spm_model_file="zh.model",
            do_lower_case=False,
            whole_words="other",
            random_seed=5,
            dupe_factor=4,
            heldout_share=0.2,
            chunks=ChunkSettings(64, 0.3),
            masking=MaskingSettings(11, 0.2, 2, False, "token"),
            compression="gzip",
        ),
        num_shards=7,
        overwrite=True,
    )


def test_dynamic_records_hold_each_text_once():
    build = settings_of("--output_file=zh.tfrecord", "--dynamic_masking").build
    assert build.dynamic_masking and build.dupe_factor == 1
    with pytest.raises(UsageError, match="--dupe_factor=2 has no use with --dynamic_masking"):
        settings_of("--output_file=a", "--dynamic_masking", "--dupe_factor=2")


def test_a_cap_that_leaves_fewer_predictions_is_told(caplog):
    settings_of("--output_file=zh.tfrecord", "--max_seq_length=512", "--max_predictions_per_seq=76")
    (message,) = caplog.messages
    assert (
        message
        == "--max_predictions_per_seq=76 caps the 77 predictions that --masked_lm_prob=0.15 asks for in 512 tokens"
    )
