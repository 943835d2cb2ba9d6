FROM debian
RUN --mount=type=cache,id=först,target=/größe,sharing=locked make "🚢" # g
# ä�
RUN --mount=type=cache,target=/🚢,id=first,sharing=locked --mount=type=cache,target=/🛟,id=second,sharing=locked make
