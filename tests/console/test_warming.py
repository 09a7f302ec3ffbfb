"""What is loaded before the first visitor comes."""

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.console.rendering import environment
from compute_optimizer.console.warming import warm
from compute_optimizer.resources import type_named


def test_templates_and_catalogs_are_there_before_the_first_page() -> None:
    environment.cache_clear()

    warm("/team/co")

    cache = environment("/team/co").cache
    assert cache is not None
    compiled = {name for _, name in cache}
    assert compiled == set(environment("/team/co").list_templates())
    kind = type_named("Ec2Instance")
    assert kind is not None
    assert kind.catalog() is load_instance_types()
