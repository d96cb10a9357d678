package enum Sanjiang {}
