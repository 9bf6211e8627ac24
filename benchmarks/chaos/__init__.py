"""Fault injection: kills, full disks, missing permissions, lost workers."""
