"""The goods service: what is for sale, from draft to off the shelf."""
