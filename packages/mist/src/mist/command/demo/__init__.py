"""The four tools of the MIST stack in small, at work on one evaluation: `mist demo`.

schemaflux compiles a dataset of exam questions; matchspec puts each question to two models and
compares their answers; infermux routes the calls to stand-ins for models; tokentrace watches all
of it. Each is one file here, written for its reader, and made of mist packages alone. `mail` says
who gets which message, whatever carries them: channels in one process, or HTTP, files or pipes
between four.

**The same results for the same seed**, on every transport, with any number of workers, through
kills and resumes. That holds because every draw is a function of what it is drawn for, and of
nothing that happens (`chance`):

- the dataset, of (seed, task);
- whether a call fails, of (seed, task, model, attempt), and what it takes, of the same;
- what a model answers, of (seed, task, model).

Time moves none of it. A call that an open breaker refuses was not made, so it is not an attempt:
it waits, and the attempt keeps its number. A wait before a retry changes when, and not what. No
call has a deadline of its own; a tool that has died ends the run, and a resumed run begins the
tasks that were under way with attempt 1, which comes to what it would have come to. The order of
arrival decides the order of results, which are then compared by name. What time does move is
durations, percentiles, how often breakers open, and when an alert comes.
"""
