"""What schemathesis cannot know from the description: emoji, and refusals that depend on data."""

import schemathesis
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import positive_data_acceptance

# The format is our own: see gateway/wire/src/native/schema.rs.
schemathesis.openapi.format("emoji", st.sampled_from(["👍", "❤️", "🎉", "🇩🇪", "1️⃣", "👩‍👩‍👧"]))

# A body may hold to its schema and still name what is not there, or not fit itself.
ABOUT_DATA = {
    "channel_parent_invalid",  # no category of the server
    "channel_parent_max_channels",
    "duplicate",  # two overwrites for one role or member
    "exclusive",  # more than one of before, after and around
    "not_a_member",  # the new owner
    "unknown_component",  # of the message
    "unknown_message",  # the one that is answered
    "unknown_target",  # whom an overwrite binds
}


def is_about_data(response):
    if response.status_code != 400:
        return False
    body = response.json()
    codes = {error["code"] for error in body.get("errors", [])}
    return body["code"] == "limit_reached" or bool(codes) and codes <= ABOUT_DATA


@schemathesis.check
def valid_data_is_accepted(ctx, response, case):
    """Schemathesis' own check, apart from what no schema can say."""
    return None if is_about_data(response) else positive_data_acceptance(ctx, response, case)
