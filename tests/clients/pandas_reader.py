"""Read exports with pandas, told nothing but what their descriptions declare, and print the cells.

`python pandas_reader.py` runs in an environment that holds pandas. Standard input is a list of
{"file": ..., "types": {column: type}, "moments": {column: format}}; what is printed has for each
the types of its columns and its rows, in which moments are as in ISO 8601.
"""

import json
import sys
from typing import Any

import pandas as pd


def main() -> None:
    """Read each of them."""
    print(json.dumps([read(**one) for one in json.load(sys.stdin)]))


def read(file: str, types: dict[str, str], moments: dict[str, str]) -> dict[str, list[Any]]:
    """Return the types of a file's columns and its rows."""
    found = pd.read_csv(
        file,
        dtype={name: "string" if name in moments else kind for name, kind in types.items()},
        keep_default_na=False,
        na_values=[""],
    )
    assert list(found.columns) == list(types)
    for name, form in moments.items():
        found[name] = pd.to_datetime(found[name], format=form).astype("datetime64[us]")
    rows = found.astype(object).where(found.notna(), None).to_numpy().tolist()
    return {
        "types": [str(one) for one in found.dtypes],
        "rows": [[_plain(cell) for cell in row] for row in rows],
    }


def _plain(cell: Any) -> Any:
    return cell.isoformat() if isinstance(cell, pd.Timestamp) else cell


if __name__ == "__main__":
    main()
