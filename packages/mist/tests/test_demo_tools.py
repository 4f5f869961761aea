"""The four tools of the demo, each by itself at its desk."""

import asyncio
import json
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from mist.command.demo.declaration import NEEDED

if missing := [name for name in NEEDED if find_spec(f"mist.{name}") is None]:
    pytest.skip(f"the extra `demo` is not installed: {missing}", allow_module_level=True)

import mist.command.demo
from mist import logging
from mist.command.demo.chance import chance, choose, whole
from mist.command.demo.dataset import write_dataset
from mist.command.demo.desk import Desk, Outgoing
from mist.command.demo.infermux import MODELS, run_infermux, solve
from mist.command.demo.mail import END, PEERS, Router, Summary, arrivals, recipients
from mist.command.demo.matchspec import run_matchspec
from mist.command.demo.schemaflux import replace_file, run_schemaflux
from mist.command.demo.settings import Settings, load_settings, write_settings
from mist.command.demo.tasks import read_tasks
from mist.command.demo.tokentrace import run_tokentrace
from mist.config import ConfigError
from mist.errors import MistError
from mist.metrics import Registry
from mist.protocol import (
    ChatMessage,
    DataEntities,
    DataSchema,
    InferRequest,
    InferResponse,
    Message,
    MessageType,
    TraceSpan,
)
from mist.transport import Channel, TransportError

SOURCES = Path(mist.command.demo.__file__).parent


class Sent:
    """An outbox that keeps what is sent."""

    def __init__(self):
        self.messages = []

    async def send(self, message):
        """Keep a message."""
        self.messages.append(message)

    def of(self, message_type):
        """The payloads of the messages of a type."""
        return [each.decode() for each in self.messages if each.type == message_type]


async def _sit(tool, directory, messages=(), **settings):
    """Let a tool work on some messages, and return its outbox and its metrics."""
    inbox, sent, metrics = Channel(4096), Sent(), Registry()
    for message in messages:
        await inbox.send(message)
    await inbox.close()
    name = tool.__name__.removeprefix("run_")
    settings = Settings(latency=0, **settings)
    log = logging.new(name, "error")
    desk = Desk(name, settings, directory, inbox, sent, Outgoing(sent), log, metrics)
    await tool(desk)
    return sent, metrics


@pytest.mark.parametrize("tool", ["schemaflux", "matchspec", "infermux", "tokentrace"])
def test_each_tool_is_small_and_made_of_mist(tool):
    """A tool is one file of less than 150 lines that needs mist and the standard library."""
    lines = (SOURCES / f"{tool}.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) < 150
    imported = {
        line.split()[1].partition(".")[0] for line in lines if line[:5] in ("from ", "impor")
    }
    assert "mist" in imported
    assert imported - {"mist"} <= sys.stdlib_module_names


def test_chance_is_a_function_of_its_key():
    """The same key gives the same number on every machine, other keys spread evenly."""
    assert chance(7, "t00001", "fails") == 0.6199064655995401
    numbers = [chance(7, number) for number in range(4000)]
    assert abs(sum(numbers) / len(numbers) - 0.5) < 0.02
    assert min(numbers) >= 0
    assert max(numbers) < 1
    assert {choose(("a", "b"), number) for number in range(50)} == {"a", "b"}
    assert {whole(1, 3, number) for number in range(50)} == {1, 2, 3}


def test_settings_come_back_from_their_file(tmp_path):
    """What a run was started with is read back as it was."""
    settings = Settings(tasks=3, fail_rate=0.25, seed=-1, transport="http", listen='"odd"\\')
    write_settings(settings, tmp_path / "demo.toml")
    assert load_settings(tmp_path / "demo.toml") == settings


def test_settings_that_no_run_can_have_are_refused_by_their_file(tmp_path):
    """An edited file is an error that names it and the values that are allowed."""
    path = tmp_path / "demo.toml"
    path.write_text('transport = "pigeon"\n')
    with pytest.raises(ConfigError, match=r"demo\.toml.*(?s:.*)one of chan, http, file, stdio"):
        load_settings(path)


def test_a_file_that_cannot_be_replaced_is_named(tmp_path):
    """The error says which, and why."""
    with pytest.raises(TransportError, match=r"cannot write .*/none/entities: No such file"):
        replace_file(tmp_path / "none" / "entities", b"{}")


async def test_schemaflux_infers_a_schema_and_compiles_by_it(tmp_path):
    """Types and what is required come from the values; white space and blanks are gone."""
    (tmp_path / "dataset.csv").write_text(
        'task,level,share,prompt\nt1, 3 ,0.5," Sort: 2, 1 "\nt2,,1,x\n'
    )
    sent, metrics = await _sit(run_schemaflux, tmp_path)
    schema, entities = sent.messages
    fields = schema.decode(DataSchema).fields
    assert [(each.name, each.type, each.required) for each in fields] == [
        ("task", "string", True),
        ("level", "integer", False),
        ("share", "number", True),
        ("prompt", "string", True),
    ]
    told = entities.decode(DataEntities)
    lines = [json.loads(line) for line in Path(told.path).read_text().splitlines()]
    assert lines[1] == {"task": "t2", "share": 1.0, "prompt": "x"}
    assert list(lines[0].values()) == ["t1", 3, 0.5, "Sort: 2, 1"]
    assert told.count == 2
    assert metrics.counter("entities_compiled").value == 2


async def test_schemaflux_names_the_line_that_is_wrong(tmp_path):
    """A line with a value too many is an error with its number."""
    (tmp_path / "dataset.csv").write_text("a,b\n1,2\n1,2,3\n")
    with pytest.raises(MistError, match=r"dataset\.csv:3: wrong number of values"):
        await _sit(run_schemaflux, tmp_path)


async def test_the_expected_answers_are_right(tmp_path):
    """The stand-ins work out what the dataset expects, for every kind of question."""
    write_dataset(tmp_path / "dataset.csv", 60, 7)
    sent, _ = await _sit(run_schemaflux, tmp_path)
    (told,) = sent.of(MessageType.DATA_ENTITIES)
    tasks = read_tasks(Path(told.path))
    assert len(tasks) == 60
    assert [task.name for task in tasks if solve(task.prompt) != task.expected] == []


def _request(model, task="t00001", attempt=1):
    meta = {"task": task, "attempt": str(attempt)}
    request = InferRequest(model, messages=[ChatMessage("user", "What is 2 + 2?")], meta=meta)
    return Message.new("test", MessageType.INFER_REQUEST, request)


async def test_infermux_answers_each_request_under_its_id(tmp_path):
    """A response has the id of its request, tokens, and what they cost."""
    requests = [_request(model, f"t{number:05d}") for number in range(50) for model in MODELS]
    sent, metrics = await _sit(run_infermux, tmp_path, requests, fail_rate=0)
    assert {each.id for each in sent.messages} == {each.id for each in requests}
    answers = sent.of(MessageType.INFER_RESPONSE)
    right = [answer.model for answer in answers if answer.content == "4"]
    assert 40 <= right.count("sage-1") < 50
    assert 30 <= right.count("swift-1") < 46
    assert all(answer.cost_usd > 0 and answer.tokens_in == 4 for answer in answers)
    assert metrics.counter("infer_requests", model="sage-1").value == 50


async def test_infermux_fails_the_same_calls_each_time(tmp_path):
    """Which attempts fail is the seed's affair; an error travels in its wire form."""

    async def failed(seed):
        requests = [_request("sage-1", "t00001", attempt) for attempt in range(40)]
        sent, _ = await _sit(run_infermux, tmp_path, requests, fail_rate=0.5, seed=seed)
        ids = {each.id: number for number, each in enumerate(requests)}
        answers = {ids[each.id]: each.decode(InferResponse) for each in sent.messages}
        assert len(answers) == 40
        return {
            number: json.loads(answer.content)
            for number, answer in answers.items()
            if answer.finish_reason == "error"
        }

    first = await failed(1)
    assert 8 < len(first) < 32
    assert first == await failed(1) != await failed(2)
    assert next(iter(first.values()))["message"] == "sage-1 is overloaded"


async def test_infermux_does_not_know_every_model(tmp_path):
    """A model that is not there is an answer that names those that are."""
    sent, _ = await _sit(run_infermux, tmp_path, [_request("gpt-0")])
    (answer,) = sent.of(MessageType.INFER_RESPONSE)
    assert answer.finish_reason == "error"
    assert json.loads(answer.content)["code"] == "not_found"
    assert "sage-1, swift-1" in answer.content


async def test_infermux_answers_what_is_no_request(tmp_path):
    """A payload that does not fit, or lacks what decides the answer, is answered with an error."""
    odd = [
        Message.new("test", MessageType.INFER_REQUEST, ["no", "request"]),
        Message.new("test", MessageType.INFER_REQUEST, InferRequest("sage-1")),
    ]
    sent, _ = await _sit(run_infermux, tmp_path, odd)
    contents = {each.id: json.loads(each.decode().content) for each in sent.messages}
    assert [contents[each.id]["code"] for each in odd] == ["protocol", "validation"]


async def test_matchspec_does_not_wait_for_answers_that_cannot_come(tmp_path):
    """What is none of its affair is passed over; the end of its inbox ends it with an error."""
    passed_over = [
        Message.new("test", "acme.note", {}),
        Message.new("infermux", MessageType.INFER_RESPONSE, InferResponse("sage-1")),
    ]
    async with asyncio.timeout(5):
        with pytest.raises(ExceptionGroup) as caught:
            await _sit(run_matchspec, tmp_path, passed_over)
    assert [str(each) for each in caught.value.exceptions] == [
        "transport: no answers can come any more"
    ]


async def test_trouble_of_matchspecs_own_is_no_verdict_on_a_model(tmp_path):
    """A request that cannot be sent ends the evaluation, and no task has a result of it."""

    class Broken(Sent):
        async def send(self, message):
            if message.type == MessageType.INFER_REQUEST:
                raise MistError("transport", "gone")
            await super().send(message)

    write_dataset(tmp_path / "dataset.csv", 3, 7)
    compiled, _ = await _sit(run_schemaflux, tmp_path)
    inbox, sent, log = Channel(4096), Broken(), logging.new("matchspec", "error")
    await inbox.send(compiled.messages[-1])
    settings = Settings(latency=0, tasks=3)
    desk = Desk("matchspec", settings, tmp_path, inbox, sent, Outgoing(sent), log, Registry())
    async with asyncio.timeout(5):
        with pytest.raises(ExceptionGroup) as caught:
            await run_matchspec(desk)
    assert "gone" in str(caught.value.exceptions)
    assert sent.of(MessageType.EVAL_RESULT) == []


def _span(number, *, status="ok", ms=10, parent="", operation="infermux.answer m"):
    attrs = {"model": "m", "tokens_in": 4, "tokens_out": 2, "cost_usd": 0.001}
    span = TraceSpan(
        f"{number:032x}", "1" * 32, parent, operation, 0, ms * 1_000_000, status, attrs
    )
    return Message.new("infermux", MessageType.TRACE_SPAN, span)


async def test_tokentrace_sums_up_and_keeps_what_it_has_seen(tmp_path):
    """Figures are those of all spans, also of those that an earlier process collected."""
    spans = [_span(number, ms=number + 1, parent="2" * 32) for number in range(20)]
    spans.append(Message.new("test", MessageType.TRACE_SPAN, "no span"))
    slowest = _span(99, ms=500, operation="matchspec.evaluate")
    await _sit(run_tokentrace, tmp_path, [*spans, slowest])
    sent, _ = await _sit(run_tokentrace, tmp_path, [_span(50, status="error", parent="2" * 32)])
    summary = sent.messages[-1].decode(Summary)
    figures = summary.models["m"]
    assert (figures.calls, figures.errors) == (21, 1)
    assert (figures.tokens_in, figures.tokens_out, figures.cost_usd) == (84, 42, 0.021)
    assert figures.p50_ms < figures.p95_ms <= figures.p99_ms < 30
    assert [each["trace_id"] for each in summary.slowest] == [f"{99:032x}"]


async def test_tokentrace_alerts_once_for_each_limit(tmp_path):
    """A limit that is passed is told when there are calls enough, and told once."""
    spans = [_span(number, status="error" if number % 5 == 0 else "ok") for number in range(100)]
    sent, _ = await _sit(run_tokentrace, tmp_path, spans)
    alerts = sent.of(MessageType.TRACE_ALERT)
    assert [(each.metric, each.level) for each in alerts] == [
        ("error_rate", "warning"),
        ("cost_usd", "warning"),
    ]
    assert alerts[0].value == 0.2
    assert alerts[1].message == "m: cost_usd is 0.05, the limit is 0.05"


async def test_an_inbox_ends_when_all_who_send_to_it_have():
    """The inbox of tokentrace expects from three; a message after the last of them is not its affair."""
    inbox = Channel()
    for source in ("schemaflux", "infermux"):
        await inbox.send(Message.new(source, END, {}))
    await inbox.send(Message.new("matchspec", MessageType.TRACE_SPAN, {}))
    await inbox.send(Message.new("matchspec", END, {}))
    assert [each.type async for each in arrivals(inbox, "tokentrace")] == [MessageType.TRACE_SPAN]


async def test_messages_go_to_whom_their_type_says():
    """The type decides, and for an end its source; a type of nobody's goes nowhere."""
    stage, tokentrace = Sent(), Sent()
    router = Router({"stage": stage, "tokentrace": tokentrace})
    await router.send(Message.new("infermux", MessageType.TRACE_SPAN, {}))
    await router.send(Message.new("tokentrace", END, {}))
    assert [each.type for each in stage.messages] == [MessageType.TRACE_SPAN, END]
    assert [each.type for each in tokentrace.messages] == [MessageType.TRACE_SPAN]
    assert recipients(Message.new("stage", PEERS, {})) == ()


async def test_what_cannot_be_sent_later_is_an_error_of_the_flush():
    """A recipient that fails does not leave who waits for it waiting."""

    class Broken:
        async def send(self, _message):
            raise MistError("transport", "gone")

    outgoing = Outgoing(Broken())
    async with asyncio.timeout(5), outgoing.sending():
        outgoing.put(Message.new("test", "acme.note", {}))
        with pytest.raises(MistError, match="gone"):
            await outgoing.flush()
