build:
	go build -o bin/secure-torch ./cmd/secure-torch
