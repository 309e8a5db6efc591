"""The feedback loop: what is served is listened to, and what is listened to is learnt from."""
