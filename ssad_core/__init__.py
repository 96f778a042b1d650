"""The SSAD lab's library: when does self-supervision help anomaly detection?

Yoo, Zhao and Akoglu, "Data Augmentation is a Hyperparameter: Cherry-picked Self-Supervision for
Unsupervised Anomaly Detection is Creating the Illusion of Success", TMLR 2023. Sections, equations and
figures named in this package are that paper's.
"""
