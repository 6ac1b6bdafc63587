"""Linear algebra. Eigenvectors and singular vectors are compared by what does not depend on their signs."""

import torch


def cases(s):
    def matrix(*shape, dtype=torch.float32):
        """A matrix that is not close to a singular one."""
        return s.rand(*shape, dtype=dtype, lo=-1, hi=1) + torch.eye(shape[-2], shape[-1], dtype=dtype) * torch.arange(3, 3 + shape[-1])

    def positive(*shape):
        x = matrix(*shape)
        return x @ x.transpose(-1, -2)

    def op(expression, *runs, tol=1e-5):
        s.op(expression, *runs, tol=tol)

    square = [matrix(3, 3), matrix(2, 4, 4)]
    double = matrix(3, 3, dtype=torch.float64)
    singular = torch.tensor([[1.0, 2.0], [2.0, 4.0]])
    for e in ["torch.inverse(a)", "torch.linalg.inv(a)", "torch.det(a)", "torch.linalg.det(a)", "torch.slogdet(a)", "torch.linalg.slogdet(a)", "torch.logdet(a)", "torch.logdet(-a)"]:
        op(e, *square, double, matrix(2, 1, 2, 2))
        op(e.replace("(a", "(a.detach()").replace("(-a", "(-a.detach()"), singular)  # which has no gradient
    op("torch.linalg.inv_ex(a)", *square)
    op("torch.linalg.inv_ex(a)[1]", torch.stack([singular, torch.eye(2)]))
    op("torch._linalg_det(a)[0]", *square)
    op("torch._linalg_slogdet(a)[0]", *square)
    for a, b in [(matrix(3, 3), s.rand(3)), (matrix(3, 3), s.rand(3, 2)), (matrix(2, 3, 3), s.rand(2, 3)), (matrix(2, 3, 3), s.rand(3, 2)), (matrix(3, 3), s.rand(2, 3, 1))]:
        op("torch.linalg.solve(a, b)", (a, b))
    op("torch.linalg.solve(a, b, left=False)", (matrix(3, 3), s.rand(2, 3)), (matrix(2, 4, 4), s.rand(5, 4)))
    op("torch.linalg.solve(a, b)", (singular, s.rand(2, 1)))
    op("torch.linalg.solve_ex(a, b)", (matrix(3, 3), s.rand(3, 2)))
    op("torch._linalg_solve_ex(a, b)[0]", (matrix(3, 3), s.rand(3, 2)))
    for upper in [True, False]:
        for unit in [True, False]:
            op(f"torch.linalg.solve_triangular(a.{'triu' if upper else 'tril'}(), b, upper={upper}, unitriangular={unit})", (matrix(3, 3), s.rand(3, 2)), (matrix(2, 4, 4), s.rand(4, 1)))
            op(f"torch.linalg.solve_triangular(a.{'triu' if upper else 'tril'}(), b, upper={upper}, unitriangular={unit}, left=False)", (matrix(3, 3), s.rand(2, 3)))
            op(f"torch.triangular_solve(b, a, {upper}, {unit}, {not unit})", (matrix(3, 3), s.rand(3, 2)))
    for e in ["torch.linalg.lu_factor(a)", "torch.linalg.lu_factor_ex(a)", "torch.linalg.lu(a)", "torch._lu_with_info(a)"]:
        op(e, *square, matrix(2, 3, 5), matrix(5, 3))
    op("torch.linalg.lu_factor_ex(a)[2]", torch.stack([singular, torch.eye(2)]))
    op("torch.lu_unpack(torch.linalg.lu_factor(a)[0], torch.linalg.lu_factor(a)[1])", *square, s.rand(5, 3))
    flat = "torch.linalg.lu_factor(a)"
    for e in [f"torch.linalg.lu_solve({flat}[0], {flat}[1], b)", f"torch.linalg.lu_solve({flat}[0], {flat}[1], b, adjoint=True)", f"torch.linalg.lu_solve({flat}[0], {flat}[1], b.transpose(0, 1), left=False)", f"torch.lu_solve(b, {flat}[0], {flat}[1])"]:
        op(e, (s.rand(3, 3) + torch.eye(3), s.rand(3, 2)))
    for e in ["torch.linalg.cholesky(a)", "torch.linalg.cholesky(a, upper=True)", "torch.cholesky(a)", "torch.cholesky(a, upper=True)", "torch.linalg.cholesky_ex(a)", "torch.cholesky_inverse(torch.linalg.cholesky(a))", "torch.cholesky_inverse(torch.linalg.cholesky(a, upper=True), upper=True)"]:
        op(e, positive(3, 3), positive(2, 4, 4))
    op("torch.linalg.cholesky(a)", -torch.eye(2))
    op("torch.linalg.cholesky_ex(a)[1]", torch.stack([-torch.eye(2), torch.eye(2), torch.tensor([[1.0, 2.0], [2.0, 1.0]])]))
    op("torch.cholesky_solve(b, torch.linalg.cholesky(a))", (positive(3, 3), s.rand(3, 2)))
    op("torch.cholesky_solve(b, torch.linalg.cholesky(a, upper=True), upper=True)", (positive(2, 3, 3), s.rand(3, 2)))
    shapes = [matrix(4, 3), matrix(2, 3, 3), matrix(3, 5)]
    for e in ["torch.linalg.qr(a)", "torch.linalg.qr(a, mode='complete')", "torch.linalg.qr(a, mode='r')[1]", "torch.qr(a)", "torch.qr(a, some=False)"]:
        op(e, *shapes)
    op("torch.linalg.qr(a)[1]", torch.zeros(3, 2))
    low = (s.rand(4, 2) @ s.rand(2, 3)).contiguous()
    for e in ["torch.linalg.svdvals(a)", "torch.linalg.svd(a)[1]", "torch.linalg.svd(a, full_matrices=False)[0].abs()", "torch.linalg.svd(a, full_matrices=False)[2].abs()", "torch.svd(a)[0].abs()", "torch.svd(a)[2].abs()", "torch.svd(a, compute_uv=False)[1]", "torch._linalg_svd(a)[1]"]:
        op(e, *shapes, matrix(2, 2, dtype=torch.float64))
    op("torch.linalg.svd(a)[0].abs() * 0 + torch.linalg.svd(a)[0] @ torch.linalg.svd(a)[0].transpose(-1, -2)", matrix(4, 3), low, torch.zeros(3, 2))
    op("torch.linalg.svd(a)[2].transpose(-1, -2) @ torch.linalg.svd(a)[2]", matrix(2, 5), low, torch.zeros(2, 3))
    full = "torch.linalg.svd(a, full_matrices=False)"
    op(f"({full}[0] * {full}[1].unsqueeze(-2)) @ {full}[2]", *shapes, low)
    for e in ["torch.linalg.eigvalsh(a)", "torch.linalg.eigvalsh(a, UPLO='U')", "torch.linalg.eigh(a)[0]", "torch.linalg.eigh(a)[1].abs()", "torch.linalg.eigh(a, UPLO='U')[1].abs()", "torch._linalg_eigh(a)[0]"]:
        op(e, positive(3, 3), positive(2, 4, 4), *square)
    op("(torch.linalg.eigh(a)[1] * torch.linalg.eigh(a)[0].unsqueeze(-2)) @ torch.linalg.eigh(a)[1].transpose(-1, -2)", positive(3, 3), torch.eye(3))
    op("torch.linalg.svdvals(a)", torch.full((2, 2), float("nan")))
    for a, b in [(matrix(5, 3), s.rand(5, 2)), (matrix(3, 3), s.rand(3, 1)), (matrix(2, 3, 4), s.rand(2, 3, 2)), (matrix(5, 3), s.rand(5))]:
        if b.dim() > 1:
            op("torch.linalg.lstsq(a, b)[0]", (a, b), tol=1e-4)
            op("torch.linalg.lstsq(a, b)[2]", (a, b))
    for driver in ["gels", "gelss", "gelsd"]:
        for i in [0, 1] if driver == "gels" else [0, 1, 2, 3]:
            op(f"torch.linalg.lstsq(a, b, driver='{driver}')[{i}]", (matrix(5, 3), s.rand(5, 2)), tol=1e-4)
    for e in ["torch.pinverse(a)", "torch.linalg.pinv(a)", "torch.linalg.pinv(a, rtol=0.3)", "torch.linalg.pinv(a, atol=2.5)", "torch.linalg.pinv(a, 0.1)"]:
        op(e, *shapes)
    op("torch.linalg.pinv(a)", low, tol=1e-4)
    op("torch.linalg.pinv(a, hermitian=True)", positive(3, 3), tol=1e-4)
    for e in ["torch.linalg.matrix_rank(a)", "torch.linalg.matrix_rank(a, rtol=0.5)", "torch.linalg.matrix_rank(a, atol=3.5)", "torch.linalg.matrix_rank(a, 3.5)"]:
        op(e, *shapes, low)
    op("torch.linalg.matrix_rank(a, hermitian=True)", positive(3, 3))
    for e in ["torch.matrix_exp(a)", "torch.linalg.matrix_exp(a * 0.1)"]:
        op(e, s.rand(3, 3, lo=-1, hi=1), s.rand(2, 4, 4, lo=-2, hi=2), torch.zeros(2, 2), s.rand(3, 3, dtype=torch.float64), tol=2e-5)
    for n in [0, 1, 2, 5, -2]:
        op(f"torch.linalg.matrix_power(a, {n})", *square, tol=1e-4)
        op(f"torch.matrix_power(a, {n})", matrix(2, 2), tol=1e-4)
    for ord in ["'fro'", "'nuc'", "1", "-1", "2", "-2", "float('inf')", "float('-inf')"]:
        op(f"torch.linalg.matrix_norm(a, {ord})", *shapes)
        op(f"torch.linalg.matrix_norm(a, {ord}, dim=[0, -1], keepdim=True)", matrix(2, 3, 4))
        op(f"torch.linalg.matrix_norm(a, {ord}, dim=[2, 0])", matrix(2, 3, 4))
        op(f"torch.linalg.norm(a, {ord})", matrix(4, 3))
        op(f"torch.linalg.cond(a, {ord})", *square, tol=1e-4)
    op("torch.linalg.matrix_norm(a)", *shapes)
    op("torch.norm(a, p='nuc')", matrix(4, 3))
    op("torch.norm(a, p='nuc', dim=[0, 2])", matrix(2, 3, 4))
    op("torch.linalg.cond(a)", *square, matrix(4, 3), tol=1e-4)
    op("torch.linalg.cond(a, 1)", singular)
    for shapes in [[(3, 2), (2, 5), (5, 4)], [(2,), (2, 5), (5, 4)], [(3, 2), (2, 5), (5,)], [(4,), (4, 5), (5,)], [(2, 9), (9, 2), (2, 9), (9, 1)]]:
        names = ", ".join("abcd"[: len(shapes)])
        op(f"torch.linalg.multi_dot([{names}])", tuple(s.rand(*x) for x in shapes))
    op("torch.chain_matmul([a, b, c])", (s.rand(3, 2), s.rand(2, 5), s.rand(5, 4)))
    for a, b in [((2, 3), (3, 2)), ((2,), (3,)), ((2, 1, 3), (2, 2)), ((2,), (2, 1, 3)), ((), (2, 3))]:
        op("torch.kron(a, b)", (s.rand(*a), s.rand(*b)))
    op("torch.linalg.vecdot(a, b)", (s.rand(2, 3), s.rand(2, 3)))
    op("torch.linalg.vecdot(a, b, dim=0)", (s.rand(2, 3), s.rand(2, 1)))
    op("torch.linalg.diagonal(a)", s.rand(2, 3, 4))
    op("torch.linalg.tensorinv(a, ind=1)", (matrix(6, 6)).reshape(6, 2, 3))
    op("torch.linalg.tensorinv(a)", (matrix(6, 6)).reshape(2, 3, 6))
    for m, n, k in [(4, 3, 3), (3, 3, 2), (5, 2, 1)]:
        op("torch.linalg.householder_product(a, b)", (s.rand(m, n, lo=-1, hi=1), s.rand(k, lo=-1, hi=1)))
    op("torch.orgqr(a, b)", (s.rand(2, 4, 3, lo=-1, hi=1), s.rand(2, 3, lo=-1, hi=1)))
    for e in ["a.mH", "torch.adjoint(a)", "a.H"]:
        op(e, s.rand(2, 3))
    for n in [8, 7, 1]:
        op(f"torch.fft.fftfreq({n}, 0.5) + a", s.rand(1))
        op(f"torch.fft.rfftfreq({n}) + a", s.rand(1))
    z = "torch.complex(a, b)"
    for e in [f"{z}.mH", f"torch.adjoint({z})", f"{z}.H", f"torch._conj({z}) * {z}", f"torch.linalg.vecdot({z}, {z}).unsqueeze(0)"]:
        op(f"torch.view_as_real(({e}).resolve_conj())", (s.rand(2, 3), s.rand(2, 3)))
    for f in ["hfft2", "hfftn"]:
        op(f"torch.fft.{f}({z})", (s.rand(3, 4), s.rand(3, 4)))
    for f in ["ihfft2", "ihfftn"]:
        op(f"torch.view_as_real(torch.fft.{f}(a).resolve_conj())", s.rand(3, 4))
