// Package data reads samples and their labels as people have them, and gives them to models in batches. It holds no more of
// them than a batch.
package data
