"""Two answers side by side, where no server of ours gives such answers."""

from typing import Any

from compute_optimizer.model.conformance import Answer, Difference, Probe
from compute_optimizer.views.conformance import differences

PLAIN = Probe("GetEBSVolumeRecommendations", "plain", {})
PAGED = Probe("GetEBSVolumeRecommendations", "pages of one", {"maxResults": 1}, paged=True)
NONSENSE = Probe("GetEBSVolumeRecommendations", "filter Nonsense", {}, nonsense=True)
HEADERS = {"content-type": "application/x-amz-json-1.0", "x-amzn-requestid": "1", "date": "now"}


def page(*volumes: dict[str, Any], **members: Any) -> Answer:
    return Answer(200, HEADERS, {"volumeRecommendations": list(volumes), **members})


def refusal(code: str, status: int = 400, text: str = "") -> Answer:
    return Answer(status, HEADERS, {"__type": f"com.example#{code}", "message": text})


def told(probe: Probe, theirs: tuple[Answer, ...], ours: tuple[Answer, ...]) -> list[Difference]:
    return list(differences(probe, theirs, ours))


def test_figures_and_names_are_no_difference() -> None:
    theirs = page({"volumeArn": "a", "lookBackPeriodInDays": 14.0}, errors=[])
    ours = page({"volumeArn": "b", "lookBackPeriodInDays": 32}, errors=[])

    assert told(PLAIN, (theirs,), (ours,)) == []


def test_empty_lists_say_nothing_about_members() -> None:
    assert told(PLAIN, (page(),), (page({"volumeArn": "b"}),)) == []


def test_a_member_that_one_side_never_has_is_new_and_one_it_may_have_is_known() -> None:
    bare, full = {"volumeArn": "b"}, {"volumeArn": "a", "tags": []}

    (always,) = told(PLAIN, (page(full),), (page(bare),))
    (sometimes,) = told(PLAIN, (page(full, bare),), (page(bare),))

    assert (always.where, always.theirs, always.ours, always.known) == (
        *("volumeRecommendations[].tags", "always", "absent"),
        "",
    )
    assert sometimes.theirs == "sometimes"
    assert "docs/conformance.md" in sometimes.known


def test_spelling_that_no_setting_changes_is_new() -> None:
    theirs, ours = page({"finding": "NOT_OPTIMIZED"}), page({"finding": "Optimized"})

    (found,) = told(PLAIN, (theirs,), (ours,))

    assert (found.aspect, found.known) == ("spelling", "")
    assert found.theirs == "spelled otherwise: NOT_OPTIMIZED"


def test_other_code_for_nonsense_is_known_and_answering_it_is_new() -> None:
    ours = refusal("InvalidParameterValueException")

    (code,) = told(NONSENSE, (refusal("ValidationException"),), (ours,))
    taken = told(NONSENSE, (page(),), (ours,))

    assert "docs/wire.md" in code.known
    assert [(one.aspect, one.known) for one in taken] == [("status", ""), ("error code", "")]


def test_texts_of_errors_are_masked_and_known() -> None:
    theirs = refusal("InvalidParameterValueException", text="no 123456789012")
    ours = refusal("InvalidParameterValueException", text="other words")

    (found,) = told(NONSENSE, (theirs,), (ours,))

    assert (found.theirs, found.ours) == ("no ***", "other words")
    assert found.known


def test_pages_that_are_too_long_or_whose_token_is_refused_are_told() -> None:
    one, two = page({}, nextToken="t"), page({}, {}, nextToken="t")

    (long,) = told(PAGED, (two,), (one,))
    found = told(PAGED, (one, refusal("InvalidParameterValueException")), (one, page({})))

    assert (long.where, long.theirs, long.ours) == ("items", "more than 1", "at most 1")
    assert [(each.where, each.theirs) for each in found] == [("pages after the first", "refused")]


def test_missing_headers_are_told() -> None:
    theirs = Answer(200, {"content-type": "application/json"}, {})
    ours = Answer(200, HEADERS, {})

    assert {each.where for each in told(PLAIN, (theirs,), (ours,))} == {
        *("content-type", "x-amzn-requestid", "date"),
    }
