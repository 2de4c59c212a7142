print("driver-suite")
