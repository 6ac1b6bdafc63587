module example.com/backend

go 1.26.0

require github.com/octet-ml/octet v0.0.0

require (
	github.com/agnivade/levenshtein v1.2.2 // indirect
	github.com/x448/float16 v0.8.4 // indirect
	golang.org/x/sys v0.50.0 // indirect
)

replace github.com/octet-ml/octet => ../..
