from textwrap import dedent

TEXT = """
FROM debian
RUN --mount=type=cache,id=x,target=/x,sharing=locked make
"""
