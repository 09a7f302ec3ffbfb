"""What the columns of a metric file mean: by their names, or by the user's mapping."""

from pathlib import Path

import numpy as np
import pytest

from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.metrics import MetricKey, Statistic
from compute_optimizer.sources.files.layouts import Layout, Long, Series, Wide, layout_of
from compute_optimizer.sources.files.mapping import NO_MAPPING, FileMapping, read_mapping
from compute_optimizer.sources.files.refusals import Reason

FILE = Path("m.csv")
CPU_MAXIMUM = MetricKey("CPUUtilization", Statistic.MAXIMUM)
CPU_AVERAGE = MetricKey("CPUUtilization", Statistic.AVERAGE)
MEMORY = MetricKey("mem_used_percent", Statistic.AVERAGE)
NETWORK = MetricKey("NetworkIn", Statistic.SUM)


def layout(
    columns: str, mapping: FileMapping = NO_MAPPING, fallback: Statistic | None = None
) -> Layout:
    return layout_of(FILE, tuple(columns.split(",")), mapping, fallback)


def mapped(folder: Path, text: str) -> FileMapping:
    path = folder / "map.yaml"
    path.write_text(text)
    return read_mapping(path)


def keys(found: Layout) -> dict[str, MetricKey]:
    assert isinstance(found, Wide)
    return {name: series.key for name, series in found.series.items()}


def find(found: Layout, metric: str, statistic: str | None = None) -> MetricKey | Reason:
    assert isinstance(found, Long)
    one = found.find(metric, statistic)
    return one if isinstance(one, Reason) else one.key


def test_a_wide_file_is_known_by_its_columns() -> None:
    found = layout(
        "instance_id,Timestamp,CPUUtilization_Maximum,CPUUtilization_avg,NetworkIn,"
        "MemoryUtilization_Average,comment"
    )

    assert keys(found) == {
        "CPUUtilization_Maximum": CPU_MAXIMUM,
        "CPUUtilization_avg": CPU_AVERAGE,
        "NetworkIn": NETWORK,
        "MemoryUtilization_Average": MEMORY,
    }
    assert found.columns[:2] == ("instance_id", "Timestamp")
    assert "comment" not in found.columns


def test_a_percentage_without_statistic_takes_the_one_given() -> None:
    assert keys(layout("id,time,CPUUtilization", fallback=Statistic.AVERAGE)) == {
        "CPUUtilization": CPU_AVERAGE
    }


def test_a_long_file_is_known_by_metric_and_value() -> None:
    found = layout("resource,timestamp,metric,statistic,value")

    assert find(found, "CPUUtilization", "Maximum") == CPU_MAXIMUM
    assert find(found, "CPUUtilization", " mean ") == CPU_AVERAGE
    assert find(found, "MemoryUtilization", "AVG") == MEMORY
    assert find(found, "NetworkIn", "Sum") == NETWORK
    assert find(found, "NetworkIn") == NETWORK


def test_words_of_a_long_file_that_are_not_kept() -> None:
    found = layout("resource,timestamp,metric,statistic,value")

    assert find(found, "RequestCount", "Sum") is Reason.UNKNOWN_METRIC
    assert find(found, "cpuutilization", "Maximum") is Reason.UNKNOWN_METRIC
    assert find(found, "CPUUtilization", "p99") is Reason.UNKNOWN_STATISTIC
    assert find(found, "CPUUtilization") is Reason.UNKNOWN_STATISTIC
    assert find(found, "CPUUtilization", "Sum") is Reason.WRONG_STATISTIC
    assert find(found, "NetworkIn", "Average") is Reason.WRONG_STATISTIC


def test_the_given_statistic_is_for_rows_that_do_not_say_theirs() -> None:
    found = layout("resource,timestamp,metric,statistic,value", fallback=Statistic.MAXIMUM)

    assert find(found, "CPUUtilization") == CPU_MAXIMUM
    assert find(found, "CPUUtilization", "Average") == CPU_AVERAGE
    assert find(found, "NetworkIn") == NETWORK


def test_a_mapping_of_words_does_not_mix_what_rows_keep_apart(tmp_path: Path) -> None:
    mapping = mapped(tmp_path, "metrics: {cpu: {metric: CPUUtilization, statistic: Average}}")
    found = layout("resource,timestamp,metric,statistic,value", mapping)

    assert find(found, "cpu", "max") == CPU_MAXIMUM
    assert find(found, "cpu") == CPU_AVERAGE


def test_a_mapping_of_columns(tmp_path: Path) -> None:
    mapping = mapped(
        tmp_path,
        """
        resource: vm
        timestamp: at
        columns:
          load: {metric: CPUUtilization, statistic: max, scale: 0.01, maximum: 100}
          used: {metric: mem_used_percent, percent_of: total}
          rx: {metric: NetworkIn, scale: 1024, per_second: true}
        default_statistic: Average
        """,
    )
    found = layout("vm,at,id,load,used,total,rx", mapping)

    assert keys(found) == {"load": CPU_MAXIMUM, "used": MEMORY, "rx": NETWORK}
    assert found.columns == ("vm", "at", "load", "used", "rx", "total")


def test_values_are_converted_step_by_step(tmp_path: Path) -> None:
    mapping = mapped(
        tmp_path,
        """
        columns:
          load: {metric: CPUUtilization, statistic: Average, scale: 0.01, maximum: 100}
          used: {metric: mem_used_percent, statistic: Average, scale: 2, percent_of: total}
          rx: {metric: NetworkIn, scale: 1024, per_second: true}
        """,
    )
    found = layout("id,time,load,used,total,rx", mapping)
    assert isinstance(found, Wide)

    def converted(name: str, values: list[float], whole: list[float] | None = None) -> list[float]:
        wholes = None if whole is None else np.array(whole)
        out: list[float] = found.series[name].converted(np.array(values), wholes).tolist()
        return out

    # Hundredths of a percent; 123 % stops at 100 %.
    assert converted("load", [4321, 12300]) == [43.21, 100]
    # 2 x 3 of 8 is 75 %; of nothing it is no number.
    memory = converted("used", [3, 3, 3], [8, 0, -1])
    assert memory[0] == 75
    assert np.isnan(memory[1:]).all()
    # Kibibytes per second over five minutes.
    assert converted("rx", [2]) == [2 * 1024 * 300]
    assert found.series["rx"].averages, "rates in one slot are averaged before they are summed"
    assert not Series(NETWORK).averages


REFUSED_COLUMNS = [
    ("time,CPUUtilization_Maximum", "no column for the resource; expected one of resource, "),
    ("id,CPUUtilization_Maximum", "no column for the timestamp; expected one of timestamp, "),
    ("id,time,load", "no column holds a metric; expected names such as .* but it has id, time"),
    ("id,time,CPUUtilization", "'CPUUtilization' does not say its statistic; call it .*_Maximum"),
    ("id,time,CPUUtilization_p99", "CPUUtilization_p99: the statistic 'p99' is unknown"),
    ("id,time,NetworkIn_Average", "NetworkIn is not kept in the statistic Average"),
    ("id,arn,time,NetworkIn", "the columns 'id' and 'arn' both mean resource; keep one"),
    ("id,time,metric,value", "no column for the statistic; add one, or say --statistic"),
]


@pytest.mark.parametrize(("columns", "message"), REFUSED_COLUMNS)
def test_columns_that_do_not_do_are_named(columns: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=rf"m\.csv: .*{message}"):
        layout(columns)


REFUSED_MEANINGS = [
    ("resource: vm", "the mapping names a column 'vm' that the file does not have; it has id, "),
    ("columns: {load: {metric: CPUUtilization}}", r"columns\.load: say its statistic"),
    ("columns: {load: {metric: Load}}", r"columns\.load: the metric 'Load' is unknown; expected"),
    ("columns: {load: {}}", r"columns\.load: the metric 'load' is unknown"),
    (
        "columns: {load: {metric: CPUUtilization, statistic: p99}}",
        r"columns\.load: the statistic 'p99' is unknown; expected Average, Maximum or Sum",
    ),
    (
        "columns: {load: {metric: CPUUtilization, statistic: Sum}}",
        r"columns\.load: CPUUtilization is not kept in the statistic Sum; percentages and gauges",
    ),
    (
        "columns: {load: {metric: CPUUtilization, statistic: max, percent_of: all}}",
        "the mapping names a column 'all' that the file does not have",
    ),
    (
        "columns: {load: {metric: CPUUtilization, statistic: max, per_second: true}}",
        r"columns\.load: per_second is for counters, CPUUtilization is a percentage",
    ),
    (
        "columns: {load: {metric: NetworkIn, percent_of: id}}",
        r"columns\.load: percent_of is for percentages, NetworkIn is a counter",
    ),
    ("default_statistic: p99", "default_statistic: the statistic 'p99' is unknown"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED_MEANINGS)
def test_mappings_that_do_not_fit_name_the_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=rf"m\.csv: .*{message}"):
        layout("id,time,load", mapped(tmp_path, text))


def test_percent_of_needs_a_wide_file(tmp_path: Path) -> None:
    text = "metrics: {mem: {metric: mem_used_percent, statistic: max, percent_of: total}}"

    with pytest.raises(InvalidInput, match=r"metrics\.mem: percent_of needs a wide file"):
        layout("id,time,metric,value,total", mapped(tmp_path, text))


@pytest.mark.parametrize("columns", ["id,time,metric,value", "id,time,metric,statistic,value"])
def test_words_of_a_mapping_are_checked_before_any_row(tmp_path: Path, columns: str) -> None:
    with pytest.raises(InvalidInput, match=r"metrics\.cpu: the metric 'cpu' is unknown"):
        layout(columns, mapped(tmp_path, "metrics: {cpu: {scale: 2}}"))


REFUSED_YAML = [
    ("[", "is no valid YAML"),
    ("a: b: c", "is no valid YAML"),
    ("[" * 100_000, "is no valid YAML"),
    ("at: 2026-99-99", "is no valid YAML"),
    ("", "Expected `object`, got `null`"),
    ("collumns: {}", "unknown field `collumns`"),
    ("columns: {load: {metrik: x}}", r"unknown field `metrik` - at `\$\.columns\[\.\.\.\]`"),
    ("columns: {load: {scale: a}}", r"Expected `float`, got `str` - at `\$\.columns.*\.scale`"),
    ("columns: {load: {scale: 0}}", "> 0"),
    ("columns: {load: {scale: -1}}", "> 0"),
    ("columns: {load: {scale: .nan}}", r"\$\.columns"),
    ("columns: {load: {scale: .inf}}", r"\$\.columns"),
    ("columns: {1: {}}", "Expected `str`, got `int`"),
]


@pytest.mark.parametrize(
    ("text", "message"), REFUSED_YAML, ids=[one[0][:40] for one in REFUSED_YAML]
)
def test_yaml_that_is_no_mapping_is_named_with_the_place(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(InvalidInput, match=rf"map\.yaml: (.|\n)*{message}"):
        mapped(tmp_path, text)


def test_a_mapping_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"map\.yaml: cannot be read: No such file"):
        read_mapping(tmp_path / "map.yaml")
    (tmp_path / "map.yaml").write_bytes(b"\xff\xff\xff")
    with pytest.raises(InvalidInput, match=r"map\.yaml: is no UTF-8 text"):
        read_mapping(tmp_path / "map.yaml")
    (tmp_path / "map.yaml").write_bytes(b"#" * 2_000_000)
    with pytest.raises(InvalidInput, match=r"map\.yaml: larger than 1,048,576 bytes"):
        read_mapping(tmp_path / "map.yaml")


def test_the_shipped_mappings_are_valid(repository: Path) -> None:
    files = sorted((repository / "examples" / "mappings").glob("*.yaml"))

    assert [file.stem for file in files] == ["azure2017", "bitbrains", "nab_cloudwatch"]
    for file in files:
        mapping = read_mapping(file)
        assert mapping.columns or mapping.metrics
