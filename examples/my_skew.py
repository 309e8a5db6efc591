"""A skew of your own: a template to copy and change.

    skewlab skews show examples/my_skew.py                                  what it says of itself
    skewlab run examples/small.yml --skew examples/my_skew.py@2             act from day 2 on, to the end
    skewlab run examples/small.yml --skew examples/my_skew.py:0.5@2-4       half as strong, healed when day 4 begins

The file holds exactly one skew: a subclass of ``Skew``, or of ``PerEvent``, which sees one event at a time.
"""

import msgspec

from contract.skew import PerEvent


class SpeakersArePhones(PerEvent):
    """The live path counts listens on a speaker as listens on a phone."""

    # What it is called, and what has happened. ``id`` is the only fact that must be there.
    id = "speakers-are-phones"
    title = "A speaker is taken for the phone that steers it"
    story = (
        "A new release of the app reports what it plays on a speaker under its own device, the phone. The nightly import "
        "puts it right by the name of the session; the live path, written by another team, has never heard of that rule."
    )

    # Where it is planted: "streaming" (the live path), "batch" (the nightly job), or "world" (both paths see it: a control).
    side = "streaming"

    # The features that it should move, and the suites that should see it: this is what you claim, the run shows whether it holds.
    # 'phone_share_28d' is a share of listens, so no value gets out of its range: operations should stay green.
    moves = ("phone_share_28d",)
    seen_by = ("distribution", "parity")

    # What severity means, from 0 (nothing) to 1 (the worst). Without a value of its own it is the share of listeners who are hit.
    parameter = "share of listeners whose app has the new release"

    # What somebody would have to do.
    fix = "Report the device that plays; judge it in one place for both paths"

    def each(self, event):
        """Return the event as this path sees it; ``None`` drops it.

        ``event`` is a ``contract.event.Event`` and does not change: make another one. ``self.hit`` picks listeners by chance,
        always the same ones for one seed.
        """
        if event.device == "speaker" and self.hit([event.user_id])[0]:
            return msgspec.structs.replace(event, device="phone")
        return event


# Other hooks take whole columns and are as short. In place of ``each``, in a subclass of ``Skew``, with ``import numpy as np``:
#
#     def features(self, columns, window):          # the computed values of window.users, in their order
#         hit = self.hit(window.users)
#         return {**columns, "phone_share_28d": np.where(hit, 1.0, columns["phone_share_28d"])}
#
#     def settings(self, constants):                # the numbers in the definitions; import dataclasses
#         return dataclasses.replace(constants, calendar_offset_min=-60)
#
# docs/design.md, section 10, lists them all. A mistake is told in one line, with the line of this file.
