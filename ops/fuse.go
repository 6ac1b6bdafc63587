package ops

// ActivationFuser is implemented by operators that can apply an activation
// while they store their output.
type ActivationFuser interface {
	Op
	// FuseActivation returns the operator with the activation behind it, and false
	// when it has one already or cannot apply this one.
	FuseActivation(Activation) (Op, bool)
}

// ResidualFuser is implemented by operators that can add another value to
// their output, given as a further, last input.
type ResidualFuser interface {
	Op
	// FuseResidual returns the operator with the addition and the activation
	// behind that, and false when it has a residual or an activation already.
	FuseResidual(Activation) (Op, bool)
}

// FuseActivation implements ActivationFuser.
func (op Conv) FuseActivation(a Activation) (Op, bool) {
	if op.Act != NoActivation {
		return nil, false
	}
	op.Act = a
	return op, true
}

// FuseResidual implements ResidualFuser.
func (op Conv) FuseResidual(a Activation) (Op, bool) {
	if op.HasResidual || op.Act != NoActivation {
		return nil, false
	}
	op.HasResidual, op.Act = true, a
	return op, true
}

// FuseActivation implements ActivationFuser.
func (op Linear) FuseActivation(a Activation) (Op, bool) {
	if op.Act != NoActivation {
		return nil, false
	}
	op.Act = a
	return op, true
}

// FuseResidual implements ResidualFuser.
func (op Linear) FuseResidual(a Activation) (Op, bool) {
	if op.HasResidual || op.Act != NoActivation {
		return nil, false
	}
	op.HasResidual, op.Act = true, a
	return op, true
}

// FuseActivation implements ActivationFuser.
func (op Binary) FuseActivation(a Activation) (Op, bool) {
	if op.Act != NoActivation || op.Fn != Add || !a.IsClamp() {
		return nil, false
	}
	op.Act = a
	return op, true
}
