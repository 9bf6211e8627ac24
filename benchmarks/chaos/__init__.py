"""What a run survives: kills, full disks, folders that are not to be written, lost workers."""
