"""How messages of the program stand on a page."""

from compute_optimizer.console.words import sentence


def test_a_message_begins_with_a_capital_and_ends_with_a_stop() -> None:
    assert sentence("no resource 'i-0' in the inventory") == "No resource 'i-0' in the inventory."


def test_a_sentence_stays_as_it_is() -> None:
    assert sentence("Sign in again.") == "Sign in again."
    assert sentence("Is it there?") == "Is it there?"
