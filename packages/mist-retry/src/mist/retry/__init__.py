"""Retries with backoff, budgets and deadlines."""

from mist.retry.attempt import Attempt
from mist.retry.awaiting import do, do_auto, do_with_classifier
from mist.retry.budget import Budget
from mist.retry.calling import do_auto_sync, do_sync, do_with_classifier_sync
from mist.retry.decorating import retrying
from mist.retry.policy import AGGRESSIVE_POLICY, DEFAULT_POLICY, Policy
from mist.retry.setting import InvalidSetting
from mist.retry.waiting import without_waiting

__all__ = [
    "AGGRESSIVE_POLICY",
    "DEFAULT_POLICY",
    "Attempt",
    "Budget",
    "InvalidSetting",
    "Policy",
    "do",
    "do_auto",
    "do_auto_sync",
    "do_sync",
    "do_with_classifier",
    "do_with_classifier_sync",
    "retrying",
    "without_waiting",
]

for _public in (
    Attempt,
    Budget,
    InvalidSetting,
    Policy,
    do,
    do_auto,
    do_auto_sync,
    do_sync,
    do_with_classifier,
    do_with_classifier_sync,
    retrying,
    without_waiting,
):
    _public.__module__ = __name__
del _public
