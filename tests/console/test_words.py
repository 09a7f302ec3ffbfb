"""How messages of the program stand on a page."""

from compute_optimizer.console.words import coded, sentence


def test_a_message_begins_with_a_capital_and_ends_with_a_stop() -> None:
    assert sentence("no resource 'i-0' in the inventory") == "No resource 'i-0' in the inventory."


def test_a_sentence_stays_as_it_is() -> None:
    assert sentence("Sign in again.") == "Sign in again."
    assert sentence("Is it there?") == "Is it there?"


def test_what_stands_between_backticks_is_code_and_everything_is_escaped() -> None:
    told = coded("`keys list` shows <b>keys</b>, and `a<b` too")

    assert told == (
        "<code>keys list</code> shows &lt;b&gt;keys&lt;/b&gt;, and <code>a&lt;b</code> too"
    )


def test_a_backtick_without_another_stays_one() -> None:
    assert coded("it's a ` in <i>") == "it&#39;s a ` in &lt;i&gt;"
