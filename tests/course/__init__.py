"""Tests of the course: its checks, and answers to its exercises, right ones and wrong ones."""
