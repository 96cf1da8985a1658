"""The floor: who speaks, who holds the floor, who takes it from whom, who yields. One definition of each, for all.

Scorers, pages, the live view and exports judge with these functions and count nothing of their own: numbers that are
shown in two places cannot disagree. Times are integer samples of the session; seconds become samples by rounding.
"""
