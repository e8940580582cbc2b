"""Genomic data imputation with variational autoencoders."""
