"""A rocker extension that gives each job's builds a cache lane of their own.

`lane.lane` finds the lane, in the same way as `cachelane id`; `extension.CacheId` hands it to the build.
"""
