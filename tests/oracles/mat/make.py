"""Lists as Stanford Dogs publishes them, by scipy.io.savemat: packed.mat and plain.mat hold file_list (cells of texts),
annotation_list and labels."""
from pathlib import Path

import numpy as np
from scipy.io import savemat

here = Path(__file__).parent
files = ["n1-a_breed/n1_1.png", "n1-a_breed/n1_3.png", "n2-other/n2_2.png"]
cells = np.empty((3, 1), dtype=object)
notes = np.empty((3, 1), dtype=object)
for i, f in enumerate(files):
    cells[i, 0], notes[i, 0] = f, f[:-4]
lists = {"annotation_list": notes, "file_list": cells, "labels": np.array([[1], [1], [2]], dtype=np.uint8),
         "scale": np.array([[0.5, -2.25]])}
savemat(here / "packed.mat", lists, do_compression=True)
savemat(here / "plain.mat", lists, do_compression=False)
