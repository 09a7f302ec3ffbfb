"""What export files say of instance types, shipped ones and described ones."""

from datetime import date

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.catalog.described_types import described, with_described
from compute_optimizer.views.ec2_instance import gpu_infos
from compute_optimizer.views.machine_columns import Specifications, specifications_of
from tests.new_types import description

NEW = "g20.xlarge"


def test_a_described_type_has_the_cells_of_a_shipped_one() -> None:
    shipped = load_instance_types()
    new = described(description(NEW, "g6.xlarge"), "us-east-1", date(2026, 11, 26))
    both = with_described(shipped, (new,))

    like = specifications_of(shipped, "g6.xlarge")
    assert (like.vcpus, like.memory_gib) == (4.0, 16.0)
    assert specifications_of(both, NEW) == like
    assert gpu_infos(both)[NEW] == gpu_infos(shipped)["g6.xlarge"]
    assert specifications_of(shipped, NEW) == Specifications()
    assert NEW not in gpu_infos(shipped)
