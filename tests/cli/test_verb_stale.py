"""`caviar stale`: what it prints of winners that nobody has looked at for long."""

import json


def test_old_winners_are_named_with_what_has_changed(caviar, filled) -> None:
    got = caviar("stale", "digits", "--since", "2027-01-01", "--store", filled.path)
    first, second, *_ = got.out.splitlines()
    assert got.code == 0
    assert first.startswith(f"digits ({filled.digits}) t2  val_loss 0.07237 (not retested), ")
    assert "changed: numpy 2.1.0 → " in got.out
    assert "not known: code: the functions live in no file; data: known when they are loaded" in got.out
    assert got.err == "1 of 1 winner not looked at since 2027-01-01\n"
    assert "\x1b" not in got.out + second


def test_winners_that_were_looked_at_since_are_counted_or_shown(caviar, filled) -> None:
    got = caviar("stale", "--since", "2020-01-01", "--store", filled.path)
    assert got.out == ""
    assert "2 winners, all looked at since 2020-01-01" in got.err
    every = caviar("stale", "--since", "2020-01-01", "--all", "--store", filled.path)
    assert every.out.count("val_loss") == 2


def test_the_one_that_was_looked_at_last_comes_first(caviar, filled) -> None:
    answer = json.loads(caviar("stale", "--since", "2020-01-01", "--json", "--store", filled.path).out)
    looks = [one["looked"] for one in answer["winners"]]
    assert len(looks) == 2
    assert looks == sorted(looks, reverse=True)
    digits = next(one for one in answer["winners"] if one["sweep"] == filled.digits)
    assert (digits["trial"], digits["code"], digits["stale"]) == (2, "unknown", False)


def test_without_winners_there_is_a_word(caviar, fresh, empty) -> None:
    for store in (fresh.path, empty):
        got = caviar("stale", "--store", store)
        assert (got.code, got.out, got.err) == (0, "", "no sweep has a winner yet\n")
