"""The exporters that are known: which of their series tell which of ours.

Each can be changed, and others declared, in the user's file (docs/collect-prometheus.md).
"""

from compute_optimizer.model.metrics import Statistic
from compute_optimizer.sources.prometheus.declared import (
    Exporter,
    FromLabel,
    Info,
    Rule,
    TextSource,
)

AVERAGE, MAXIMUM, SUM = Statistic.AVERAGE, Statistic.MAXIMUM, Statistic.SUM

INSTANCE = FromLabel("instance", r"\[?([^\[\]:]+)\]?(:\d+)?")
"""The address that was scraped, without its port."""

VIRTUAL = "lo|veth.*|docker.*|br-.*|cni.*|flannel.*|cali.*|cilium.*|lxc.*|tun.*|tap.*|virbr.*"
"""Network devices whose traffic stays in the machine or passes a real device as well."""

STACKED = "(dm-|md|loop|ram|zram|sr|nbd|drbd|fd).*"
"""Block devices that lie on others, or are no disks."""

SHARED: dict[str, TextSource] = {
    "account": FromLabel("account_id"),
    "region": FromLabel("region"),
    "type": FromLabel("instance_type"),
}
"""Labels that discovery of EC2 instances and others are commonly relabelled to."""


def _counted(metric: str, counter: str) -> Rule:
    """Return the sum of five minutes of a counter over the devices of a machine."""
    return Rule(metric, SUM, f"300 * sum by ($id) (rate({counter}[$counter]))")


def _network(prefix: str, device: str, selector: str = "") -> tuple[Rule, ...]:
    """Return the counters of the network devices, which both exporters of machines name alike."""
    words = {
        "NetworkIn": "receive_bytes",
        "NetworkOut": "transmit_bytes",
        "NetworkPacketsIn": "receive_packets",
        "NetworkPacketsOut": "transmit_packets",
    }
    chosen = f'{selector}{device}!~"{VIRTUAL}", $match'
    return tuple(
        _counted(metric, f"{prefix}_network_{word}_total{{{chosen}}}")
        for metric, word in words.items()
    )


def _both(metric: str, query: str) -> tuple[Rule, ...]:
    """Return average and maximum of a query that has SPAN where counters have their range."""
    peak = query.replace("SPAN", "[$peak]")
    return (
        Rule(metric, AVERAGE, query.replace("SPAN", "[$counter]")),
        Rule(metric, MAXIMUM, f"max_over_time(({peak})[$peaks])"),
    )


NODE_EXPORTER = Exporter(
    by=("instance",),
    machines="last_over_time(node_uname_info[$recent])",
    info=(Info("last_over_time(node_dmi_info[$recent])", ("instance",)),),
    vcpus='count by ($id) (last_over_time(node_cpu_seconds_total{mode="idle"}[$recent]))',
    memory_mib="max by ($id) (last_over_time(node_memory_MemTotal_bytes[$recent])) / 1048576",
    resource={
        **SHARED,
        "id": (FromLabel("instance_id"), INSTANCE),
        "name": FromLabel("nodename"),
        "architecture": FromLabel("machine"),
    },
    metrics=(
        *_both(
            "CPUUtilization",
            '100 - 100 * sum by ($id) (rate(node_cpu_seconds_total{mode=~"idle|iowait", $match}'
            'SPAN)) / count by ($id) (rate(node_cpu_seconds_total{mode="idle", $match}SPAN))',
        ),
        Rule(
            "mem_used_percent",
            AVERAGE,
            "max by ($id) (100 - 100 * avg_over_time(node_memory_MemAvailable_bytes{$match}[$slot])"
            " / avg_over_time(node_memory_MemTotal_bytes{$match}[$slot]))",
        ),
        Rule(
            "mem_used_percent",
            MAXIMUM,
            "max by ($id) (100 - 100 * min_over_time(node_memory_MemAvailable_bytes{$match}[$slot])"
            " / max_over_time(node_memory_MemTotal_bytes{$match}[$slot]))",
        ),
        *_network("node", "device"),
        *(
            _counted(metric, f'node_disk_{word}_total{{device!~"{STACKED}", $match}}')
            for metric, word in (
                ("VolumeReadOps", "reads_completed"),
                ("VolumeWriteOps", "writes_completed"),
                ("VolumeReadBytes", "read_bytes"),
                ("VolumeWriteBytes", "written_bytes"),
            )
        ),
    ),
)

CADVISOR = Exporter(
    by=("instance",),
    machines="last_over_time(machine_memory_bytes[$recent])",
    vcpus="max by ($id) (last_over_time(machine_cpu_cores[$recent]))",
    memory_mib="max by ($id) (last_over_time(machine_memory_bytes[$recent])) / 1048576",
    resource={
        **SHARED,
        "id": (FromLabel("instance_id"), INSTANCE),
        "name": (FromLabel("node"), FromLabel("kubernetes_io_hostname")),
    },
    metrics=(
        *_both(
            "CPUUtilization",
            '100 * sum by ($id) (rate(container_cpu_usage_seconds_total{id="/", $match}SPAN))'
            " / max by ($id) (machine_cpu_cores{$match})",
        ),
        *(
            Rule(
                "mem_used_percent",
                statistic,
                "100 * max by ($id) "
                f'({function}_over_time(container_memory_working_set_bytes{{id="/", $match}}'
                "[$slot])) / max by ($id) (avg_over_time(machine_memory_bytes{$match}[$slot]))",
            )
            for statistic, function in ((AVERAGE, "avg"), (MAXIMUM, "max"))
        ),
        *_network("container", "interface", 'id="/", '),
    ),
)


def _cloudwatch(by: str, info: Info, resource: dict[str, TextSource]) -> Exporter:
    """Return what both exporters of CloudWatch metrics have in common, told apart by labels.

    A series says for itself over which period it counts; here five minutes, which the user sets.
    """
    counters = {
        "NetworkIn": "network_in",
        "NetworkOut": "network_out",
        "NetworkPacketsIn": "network_packets_in",
        "NetworkPacketsOut": "network_packets_out",
        "DiskReadOps": "disk_read_ops",
        "DiskWriteOps": "disk_write_ops",
        "DiskReadBytes": "disk_read_bytes",
        "DiskWriteBytes": "disk_write_bytes",
    }
    percentages = {
        "CPUUtilization": "aws_ec2_cpuutilization_{word}{{$match}}",
        "mem_used_percent": '{{__name__=~"(aws_)?cwagent_mem_used_percent_{word}", $match}}',
    }
    return Exporter(
        by=(by,),
        machines='last_over_time({__name__=~"aws_ec2_cpuutilization_(average|maximum)"}[$recent])',
        info=(info,),
        resource={**SHARED, "id": FromLabel(by), "name": FromLabel("tag_Name"), **resource},
        tags="tag_(.+)",
        metrics=(
            *(
                Rule(
                    metric,
                    statistic,
                    f"max by ($id) ({function}_over_time({series.format(word=word)}[$slot]))",
                )
                for metric, series in percentages.items()
                for statistic, function, word in (
                    (AVERAGE, "avg", "average"),
                    (MAXIMUM, "max", "maximum"),
                )
            ),
            *(
                Rule(
                    metric,
                    SUM,
                    f"max by ($id) (avg_over_time(aws_ec2_{word}_sum{{$match}}[$slot]))",
                )
                for metric, word in counters.items()
            ),
        ),
    )


EXPORTERS = {
    "node_exporter": NODE_EXPORTER,
    "cadvisor": CADVISOR,
    "cloudwatch_exporter": _cloudwatch(
        "instance_id", Info("last_over_time(aws_resource_info[$recent])", ("instance_id",)), {}
    ),
    "yace": _cloudwatch(
        "dimension_InstanceId", Info("last_over_time(aws_ec2_info[$recent])", ("name",)), {}
    ),
}
"""By the name that the user's file calls them."""
