"""A mailbox that answers when there is something: nothing lost, nothing twice, and nothing kept of who has ended."""

import asyncio
import random
from collections.abc import Coroutine
from typing import Any

from caviar_workers.mailbox import AsyncMailbox
from caviar_workers.messages import Message
from caviar_workers.states import Action


def message(decision: int) -> Message:
    return Message(trial=0, attempt=0, action=Action.STOP, decision=decision)


def play(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 60))


async def asked(mailbox: AsyncMailbox, lease: int) -> "asyncio.Task[list[Message]]":
    """A question that has arrived."""
    question = asyncio.create_task(mailbox.fetch(lease))
    await asyncio.sleep(0)
    return question


def test_a_question_is_answered_when_there_is_something_for_its_lease_and_not_before() -> None:
    async def story() -> None:
        mailbox = AsyncMailbox()
        await mailbox.put(1, message(0))
        await mailbox.put(1, message(1))
        assert await mailbox.fetch(1) == [message(0), message(1)]

        first, second = await asked(mailbox, 1), await asked(mailbox, 2)
        await asyncio.sleep(0.05)
        assert not first.done()
        await mailbox.put(1, message(2))
        assert await first == [message(2)]
        assert not second.done(), "it was for the other one"
        await mailbox.put(2, message(3))
        assert await second == [message(3)]

    play(story())


def test_who_asks_anew_gets_what_comes_and_a_lease_that_ended_leaves_nothing() -> None:
    async def story() -> None:
        mailbox = AsyncMailbox()
        lost = await asked(mailbox, 1)  # its process lost the way to the mailbox, and asks again
        again = await asked(mailbox, 1)
        await mailbox.put(1, message(0))
        assert await lost == []
        assert await again == [message(0)]

        open_one = await asked(mailbox, 2)
        await mailbox.put(3, message(1))
        await mailbox.end([2, 3, 4])
        assert await open_one == []
        assert not mailbox._questions
        assert not mailbox._mailbox._waiting

    play(story())


def test_in_any_order_of_questions_and_messages_each_message_is_read_once_and_in_order() -> None:
    async def story(seed: int) -> None:
        rng = random.Random(seed)
        mailbox = AsyncMailbox()
        read: dict[int, list[Message]] = {lease: [] for lease in range(3)}
        put: dict[int, list[Message]] = {lease: [] for lease in range(3)}

        async def listen(lease: int) -> None:
            while len(read[lease]) < 40:
                read[lease] += await mailbox.fetch(lease)
                for _ in range(rng.randrange(3)):
                    await asyncio.sleep(0)

        async def speak(lease: int) -> None:
            for number in range(40):
                put[lease].append(message(number))
                await mailbox.put(lease, put[lease][-1])
                for _ in range(rng.randrange(3)):
                    await asyncio.sleep(0)

        await asyncio.gather(*(act(lease) for lease in put for act in (listen, speak)))
        assert read == put

    for seed in range(20):
        play(story(seed))
