import json


def logs(caviar, filled, *args):
    return caviar("logs", *args, "--sweep", "digits", "--store", filled.path)


def test_what_a_trial_printed_comes_as_it_was_without_what_steers_a_terminal(caviar, filled):
    got = logs(caviar, filled, "2")
    assert (got.code, got.out) == (0, "loading\nepoch 0 done red\n")


def test_only_one_stream_can_be_asked_for(caviar, filled):
    got = logs(caviar, filled, "2", "--stream", "err")
    assert (got.code, got.out) == (0, "")
    assert got.err == f"trial 2 of digits ({filled.digits}), COMPLETED, printed nothing to stderr\n"


def test_a_silent_trial_is_said_to_be_silent(caviar, filled):
    got = logs(caviar, filled, "1")
    assert (got.code, got.out) == (0, "")
    assert got.err == f"trial 1 of digits ({filled.digits}), COMPLETED, printed nothing\n"
    waiting = caviar("logs", "later", "2", "--store", filled.path)
    assert waiting.err == f"trial 2 of later ({filled.later}), LOST, printed nothing\n"
    assert json.loads(logs(caviar, filled, "1", "--json").out)["output"] == []


def test_json_has_every_piece_with_its_attempt_and_stream(caviar, filled):
    document = json.loads(logs(caviar, filled, "2", "--json").out)
    assert [(piece["attempt"], piece["piece"], piece["stream"]) for piece in document["output"]] == [
        (0, 0, "out"),
        (0, 1, "out"),
    ]
    assert document["state"] == "COMPLETED"


def test_following_a_trial_that_has_ended_ends_too(caviar, filled):
    assert logs(caviar, filled, "2", "--follow").code == 0


def test_a_trial_that_is_not_there_is_one_sentence(caviar, filled):
    got = logs(caviar, filled, "999")
    assert got.code == 4
    assert got.err.count("\n") == 1
