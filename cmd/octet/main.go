// Command octet inspects, quantizes, evaluates, runs and measures models: see package cli.
package main

import "github.com/octet-ml/octet/cli"

func main() { cli.Main() }
