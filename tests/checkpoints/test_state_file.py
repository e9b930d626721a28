"""The file `checkpoint`: the last name in it counts, whoever wrote it."""

import pytest

from albert.base.errors import UserError
from albert.checkpoints.state_file import named_checkpoint


def named(folder, content, *files):
    (folder / "checkpoint").write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    for name in files:
        (folder / name).touch()
    prefix = named_checkpoint(str(folder))
    return prefix and prefix.replace(str(folder) + "/", "")


@pytest.mark.parametrize(
    "path, name",
    [
        ("model.ckpt-20", "model.ckpt-20"),
        ("/home/me/zh/model.ckpt-20", "model.ckpt-20"),
        (r"D:\\models\\zh\\model.ckpt-20", "model.ckpt-20"),
        (r"D:\models\new\model.ckpt-20", "model.ckpt-20"),  # by hand, without escapes
        (r"D:\\models/zh/model.ckpt-20", "model.ckpt-20"),
        ("D:model.ckpt-20", "model.ckpt-20"),
        (r"/zh/\346\250\241\345\236\213.ckpt", "模型.ckpt"),
        (r"/zh/\xe6\xa8\xa1.ckpt", "模.ckpt"),
        ("/zh/模型.ckpt", "模型.ckpt"),
    ],
)
def test_the_last_name_counts(tmp_path, path, name):
    for form in ('model_checkpoint_path: "{}"\n', "model_checkpoint_path:'{}'", '\n  model_checkpoint_path : "{}"\n'):
        assert named(tmp_path, form.format(path)) == name
        assert named(tmp_path, form.format(path).replace("\n", "\r\n").encode("utf-16")) == name


def test_a_name_with_a_backslash_is_taken_where_it_is_there(tmp_path):
    content = r'model_checkpoint_path: "/zh/a\\new.ckpt"'
    assert named(tmp_path, content) == "new.ckpt"
    assert named(tmp_path, content, "a\\new.ckpt.index") == "a\\new.ckpt"


def test_names_by_hand_that_look_like_escapes(tmp_path):
    content = r'model_checkpoint_path: "D:\zh\2.ckpt"'
    assert named(tmp_path, content, "2.ckpt.index") == "2.ckpt"


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"\xff\xfe\x00", "<html>", "model_checkpoint_path: 5", 'all_model_checkpoint_paths: "a"']
)
def test_a_file_that_names_nothing(tmp_path, content):
    assert named(tmp_path, content) == ""


def test_no_file(tmp_path):
    assert named_checkpoint(str(tmp_path)) is None
    assert named_checkpoint(str(tmp_path / "none")) is None
    (tmp_path / "checkpoint").mkdir()
    assert named_checkpoint(str(tmp_path)) is None


def test_a_file_that_cannot_be_read(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(UserError, match="cannot read .*checkpoint: Permission denied"):
        named_checkpoint(str(tmp_path))
