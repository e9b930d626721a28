"""A frozen encoder: the head and the pooler move, all else stays bit by bit, in pre-training and in fine-tuning."""

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.checkpoints import families
from albert.checkpoints.parts import POOLER, is_frozen
from tests.support.marks import slow
from tests.support.tiny_runs import CLASSIFICATION, PRETRAINING, classify, pretrain, publish, values_of, write_inputs


def moved_weights(before, after):
    return {name for name, value in after.items() if name in before and not np.array_equal(value, before[name])}


@pytest.mark.parametrize("family", [slow(families.ZH), families.GOOGLE], ids=lambda family: family.name)
def test_only_head_and_pooler_move(tmp_path, family):
    folder = write_inputs(tmp_path)
    start = values_of(publish(folder, family))
    place = folder / ("published_" + family.name)
    options = {"init_checkpoint": place, "freeze_encoder": True, "learning_rate": 0.1}
    pretrained = values_of(pretrain(folder, PRETRAINING[family], gradient_accumulation_steps=2, **options))
    moved = moved_weights(start, pretrained)
    assert not any(map(is_frozen, moved))
    assert {name.split("/")[1] for name in moved} == {"predictions", "seq_relationship", "pooler"}
    out = classify(folder, CLASSIFICATION[family], do_eval=False, do_predict=False, **options)
    assert {name.startswith(POOLER) for name in moved_weights(start, values_of(out))} == {True}
    with pytest.raises(UserError, match="were trained with --freeze_encoder=True: give another --output_dir"):
        classify(folder, CLASSIFICATION[family], num_train_epochs=2, do_predict=False)
