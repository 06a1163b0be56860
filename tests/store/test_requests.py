"""What others ask of the process that runs a sweep."""

from caviar.store.requests import ask_to_act, ask_to_stop, discard, pop_requests


def test_the_owner_takes_what_was_asked_of_it_once_and_in_order(sweep):
    epoch = sweep.claim()
    first = ask_to_stop(sweep, trial=3)
    ask_to_stop(sweep, at_once=True)

    taken = pop_requests(sweep, epoch)

    assert [(r.action, r.trial, r.at_once, r.epoch) for r in taken] == [("stop", 3, False, 1), ("stop", None, True, 1)]
    assert not sweep.disk.exists(first.file)
    assert pop_requests(sweep, epoch) == []


def test_what_was_asked_of_an_owner_before_is_dropped_and_what_is_for_a_later_one_stays(sweep):
    ask_to_stop(sweep)  # of nobody
    sweep.release(sweep.claim())
    ask_to_stop(sweep)  # of one that let go
    epoch = sweep.claim()

    assert pop_requests(sweep, epoch) == []
    ask_to_stop(sweep)
    assert pop_requests(sweep, epoch - 1) == []
    assert len(pop_requests(sweep, epoch)) == 1


def test_what_is_no_request_does_no_harm(sweep):
    epoch = sweep.claim()
    request = ask_to_stop(sweep).file
    request.with_name("000001.json").write_text('{"epoch": 1, "later": true}')
    request.with_name("000002.json").write_bytes(b"\xff{")
    request.with_name("notes.txt").write_text("mine")

    assert len(pop_requests(sweep, epoch)) == 1


def test_an_act_stays_until_it_was_answered_and_may_be_read_again(sweep):
    epoch = sweep.claim()
    ask_to_act(sweep, action="edit", trial=3, token="x", act='{"set": {"lr": 1}}')
    ask_to_stop(sweep, trial=4)

    first, second = pop_requests(sweep, epoch), pop_requests(sweep, epoch)

    assert [(r.action, r.trial, r.token) for r in first] == [("edit", 3, "x"), ("stop", 4, "")]
    assert [r.action for r in second] == ["edit"]
    discard(sweep, second[0].file)
    assert pop_requests(sweep, epoch) == []
    discard(sweep, second[0].file)


def test_an_act_of_an_owner_before_is_dropped_and_one_without_a_trial_is_none(sweep):
    ask_to_act(sweep, action="edit", trial=3, token="x", act="{}")
    epoch = sweep.claim()
    odd = ask_to_act(sweep, action="edit", trial=3, token="y", act="{}").file
    odd.write_text(odd.read_text().replace('"trial": 3', '"trial": null'))
    ask_to_act(sweep, action="dance", trial=3, token="z", act="{}")

    assert pop_requests(sweep, epoch) == []


def test_whoever_came_since_is_not_the_one_that_was_asked(sweep):
    epoch = sweep.claim()
    request = ask_to_act(sweep, action="edit", trial=3, token="x", act="{}")
    assert request.lives(sweep)
    sweep.release(epoch)
    assert not request.lives(sweep)
    sweep.claim()
    assert sweep.owner_alive()
    assert not request.lives(sweep)
