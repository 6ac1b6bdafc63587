package exported

// signature reads what the graph's inputs and outputs are.
func (d *decoder) signature(p *Program) {
	d.object(func(key string) {
		switch key {
		case "input_specs":
			d.array(func(i int) {
				if i >= maxInputs {
					d.fail("more than %d inputs", maxInputs)
					return
				}
				p.Inputs = append(p.Inputs, d.inputSpec())
			})
		case "output_specs":
			d.array(func(i int) {
				if i >= maxInputs {
					d.fail("more than %d outputs", maxInputs)
					return
				}
				p.Outputs = append(p.Outputs, d.outputSpec())
			})
		default:
			d.skip()
		}
	})
}

// inputKinds are the kinds of inputs by their names, and under which the spec says
// what of the module they are.
var inputKinds = map[string]struct {
	kind   InputKind
	target string
}{
	"user_input":      {UserInput, ""},
	"constant_input":  {ConstantInput, ""},
	"parameter":       {Parameter, "parameter_name"},
	"buffer":          {Buffer, "buffer_name"},
	"tensor_constant": {TensorConstant, "tensor_constant_name"},
	"custom_obj":      {CustomInput, "custom_obj_name"},
	"token":           {TokenInput, ""},
}

func (d *decoder) inputSpec() (in Input) {
	d.one("an input", func(member string) {
		known, ok := inputKinds[member]
		if !ok {
			d.unknownMember("an input", member)
			return
		}
		in.Kind = known.kind
		d.object(func(key string) {
			switch {
			case key == "arg" && in.Kind == UserInput:
				in.Arg = d.arg()
			case key == "arg":
				in.Name = d.named()
			case key == "name":
				in.Name = d.str()
			case key == "value" && in.Kind == ConstantInput:
				d.one("a constant", func(member string) { in.Arg = d.plainOrNone(member) })
			case key == "persistent":
				in.Persistent = d.bool()
			case key == known.target:
				in.Target = d.str()
			default:
				d.skip()
			}
		})
	})
	switch a := in.Arg.(type) {
	case Tensor:
		in.Name = string(a)
	case Symbol:
		in.Name = string(a)
	}
	switch in.Kind {
	case Parameter, Buffer, TensorConstant:
		in.Arg = Tensor(in.Name)
	case CustomInput:
		in.Arg = CustomObject{Name: in.Name}
	case TokenInput:
		in.Arg = Token(in.Name)
	}
	return in
}

func (d *decoder) plainOrNone(member string) Arg {
	if member == "as_none" {
		d.skip()
		return nil
	}
	return d.plain(member)
}

// outputSpecs are the kinds of outputs by their names, and under which the spec says
// what is written to.
var outputSpecs = map[string]struct {
	kind   OutputKind
	target string
}{
	"user_output":            {UserOutput, ""},
	"buffer_mutation":        {BufferMutation, "buffer_name"},
	"user_input_mutation":    {InputMutation, "user_input_name"},
	"parameter_mutation":     {ParameterMutation, "parameter_name"},
	"loss_output":            {LossOutput, ""},
	"gradient_to_parameter":  {GradientOutput, "parameter_name"},
	"gradient_to_user_input": {GradientOutput, "user_input_name"},
	"token":                  {TokenOutput, ""},
}

func (d *decoder) outputSpec() (out Output) {
	d.one("an output", func(member string) {
		known, ok := outputSpecs[member]
		if !ok {
			d.unknownMember("an output", member)
			return
		}
		out.Kind = known.kind
		d.object(func(key string) {
			switch {
			case key == "arg" && out.Kind == UserOutput:
				out.Arg = d.arg()
			case key == "arg" && out.Kind == TokenOutput:
				out.Arg = Token(d.named())
			case key == "arg":
				out.Arg = Tensor(d.named())
			case key == known.target:
				out.Target = d.str()
			default:
				d.skip()
			}
		})
	})
	return out
}
