"""The committed table of database prices is what the script makes of the figures."""

from collections.abc import Callable
from gzip import decompress
from pathlib import Path
from types import ModuleType

import pytest

from compute_optimizer.catalog.database_prices import DATABASE_PRICES_FILE

DATA = "src/compute_optimizer/catalog/data"


@pytest.fixture(scope="module")
def script(load_script: Callable[[str], ModuleType]) -> ModuleType:
    return load_script("build_database_prices")


def test_building_again_gives_the_committed_prices(
    script: ModuleType, repository: Path, shared: Path
) -> None:
    committed = (repository / DATA / DATABASE_PRICES_FILE).read_bytes()

    assert decompress(script.build_database_prices(shared / "catalog")) == decompress(committed)


def test_the_newest_dated_figure_stands(script: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "rds_prices.csv").write_text(
        "region,instance_class,engine,deployment,usd_per_hour,source,date,quality\n"
        "us-east-1,db.m5.large,mysql,single-az,0.2,new,2026-05-03,exact\n"
        "us-east-1,db.m5.large,mysql,single-az,0.1,old,2021-08-03,exact-dated\n"
        "us-east-1,db.m5.large,mysql,single-az,0.3,somebody,unknown,secondary\n"
        "us-east-1,db.m5.large,mysql,multi-az,0.4,new,2026-05-03,exact\n"
        "us-east-1,db.m5.large,mariadb,single-az,0.5,new,2026-05-03,exact\n"
    )
    (tmp_path / "rds_storage_prices.csv").write_text(
        "region,deployment,storage_type,unit,usd,source,date\n"
    )

    table = script.build_database_prices(tmp_path)

    assert b'"instances":{"us-east-1":{"mysql":{"db.m5.large":[0.2,"a"]}}}' in decompress(table)
