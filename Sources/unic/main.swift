print("unic")
