"""The instance families that the service gives rightsizing recommendations for."""

_LISTED = """
c1 c3 c4 c5 c5a c5ad c5d c5n c6a c6g c6gd c6gn c6i c6in c6id c7a c7g c7gd c7gn c7i c7i-flex
c8a c8g c8gb c8gd c8gn c8i c8i-flex c8id
d2 d3 d3en
g4dn g5g g5 g6 gr6 g6e
h1 hpc6a hpc6id hpc7a hpc7g
i2 i3 i3en i4g i4i i7i i7ie i8g i8ge im4gn is4gen
m1 m2 m3 m4 m5 m5a m5ad m5d m5dn m5n m5zn m6a m6g m6gd m6i m6id m6idn m6in m7a m7g m7gd m7i
m7i-flex m8a m8azn m8g m8gb m8gd m8gn m8i m8i-flex m8id
p3 p4 p4d p4de p5 p5e p5en
r3 r4 r5 r5a r5ad r5b r5d r5dn r5n r6a r6g r6gd r6i r6id r6idn r6in r7a r7g r7gd r7i r7iz r8a
r8g r8gb r8gd r8gn r8i r8i-flex r8id
t1 t2 t3 t3a t4g
u-3tb1 u-6tb1 u-9tb1 u-12tb1 u-18tb1 u-24tb1
u7i-6tb u7i-8tb u7i-12tb u7in-16tb u7in-24tb u7in-32tb
x1 x1e x2gd x2idn x2iedn x2iezn x8g x8i
z1d
"""

RIGHTSIZING_FAMILIES = frozenset(_LISTED.split())
"""Source: AWS Compute Optimizer User Guide, resource requirements for EC2 instances."""
