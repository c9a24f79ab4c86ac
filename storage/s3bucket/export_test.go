package s3bucket

var Compares = (*Driver).compares
