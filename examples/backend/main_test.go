package main

func Example() {
	main()
	// Output:
	// stem   linear   float32
	// body   linear   int8
	// act    gelu     int8
	// head   linear   int8
	// act  u8(scale=0.015625, zero=12)
	// body per_channel_symmetric
	// head per_tensor_symmetric
}
