package torchscript

// tensorInt8 is int8, whose name the package of operators has here.
type tensorInt8 = int8
