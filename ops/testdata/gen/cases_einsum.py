"""Sums of products over named dimensions, and diagonals."""

import torch


def cases(s):
    settings = [
        ("ij,jk->ik", [2, 3], [3, 4]), ("ij,jk", [2, 3], [3, 4]), ("bij,bjk->bik", [2, 3, 4], [2, 4, 5]), ("bij,bkj->bik", [2, 3, 4], [2, 5, 4]),
        ("bhid,bhjd->bhij", [2, 3, 4, 5], [2, 3, 6, 5]), ("i,j->ij", [3], [4]), ("i,i->", [4], [4]), ("i,i->i", [4], [4]), ("ij->ji", [2, 3]), ("ij->", [2, 3]), ("ij->i", [2, 3]),
        ("ii->i", [3, 3]), ("ii->", [3, 3]), ("iji->j", [3, 2, 3]), ("...ij,...jk->...ik", [2, 3, 4], [2, 4, 5]), ("...ij,jk->...ik", [2, 1, 3, 4], [4, 5]), ("b...,b...->...", [3, 2, 4], [3, 4]),
        ("...,...->...", [2, 3], [3]), ("ij,ij->ij", [2, 3], [2, 3]), ("ij,j->i", [2, 3], [3]), ("ij,kl->ijkl", [2, 3], [2, 2]), ("abc,cd,de->abe", [2, 3, 4], [4, 5], [5, 2]),
        ("ij,jk,kl->il", [2, 3], [3, 4], [4, 2]), ("bn,anm,bm->ba", [2, 3], [4, 3, 5], [2, 5]), ("nchw,kc->nkhw", [2, 3, 2, 2], [4, 3]), ("ij,jk->ki", [2, 3], [3, 4]),
        ("ij,jk->ik", [2, 1], [3, 4]), ("bij,bjk->bik", [1, 3, 4], [2, 4, 5]), ("ij,jk->ik", [0, 3], [3, 2]), ("ij,jk->ik", [2, 0], [0, 3]), ("i->i", [3]), ("->", []), (",->", [], []), ("i,->i", [3], []),
        ("ij,jk->ik", [2, 3], [4, 5]), ("ij->k", [2, 3]), ("ij", [2, 3, 4]), ("i", [2], [3]), ("ij->ii", [2, 3]), ("i+j->i", [2, 3]), ("bhwc,hkc->bhwk", [2, 3, 4, 5], [3, 6, 5]), ("ii->i", [2, 3]),
        (" i j , j k -> i k ", [2, 3], [3, 4]), ("Ab,bA->A", [2, 3], [3, 2]), ("ba", [2, 3]),
    ]
    for equation, *shapes in settings:
        s.add("einsum", {"Equation": equation}, [s.rand(*x) for x in shapes], lambda *x: torch.einsum(equation, *x), 2e-6)
    for shape, offset, a, b in [([3, 3], 0, 0, 1), ([2, 4], 1, 0, 1), ([4, 2], -1, 0, 1), ([2, 3, 4], 0, 0, 2), ([2, 3, 4], 1, -1, 0), ([2, 3], 5, 0, 1), ([2, 3], -5, 0, 1), ([3], 0, 0, 1), ([3, 3], 0, 1, 1), ([0, 3], 0, 0, 1)]:
        s.add("diagonal", {"Offset": offset, "Axis1": a, "Axis2": b}, [s.rand(*shape)], lambda x: torch.diagonal(x, offset, a, b))
