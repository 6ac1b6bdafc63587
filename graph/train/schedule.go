package train

import "math"

// Schedule gives the factor of the learning rate at a step, which counts from 0.
type Schedule func(step int) float64

// Constant leaves the learning rate as it is.
func Constant(int) float64 { return 1 }

// StepDecay multiplies the learning rate with gamma every so many steps.
func StepDecay(every int, gamma float64) Schedule {
	return func(step int) float64 { return math.Pow(gamma, float64(step/max(every, 1))) }
}

// Cosine goes from 1 to the factor least within total steps, along half a period
// of a cosine, and stays there.
func Cosine(total int, least float64) Schedule {
	return func(step int) float64 {
		at := min(float64(step)/float64(max(total, 1)), 1)
		return least + (1-least)*(1+math.Cos(math.Pi*at))/2
	}
}

// WarmUp rises linearly to the first factor of next within so many steps, and then follows it.
func WarmUp(steps int, next Schedule) Schedule {
	return func(step int) float64 {
		if step < steps {
			return next(0) * float64(step+1) / float64(steps+1)
		}
		return next(step - steps)
	}
}
