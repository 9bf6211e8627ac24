"""The types that columns have."""

from pyspark.sql import types as T

TEXT, FLAG, DAY, TIME = T.StringType(), T.BooleanType(), T.DateType(), T.TimestampType()
COUNT, NUMBER, SMALL = T.LongType(), T.DoubleType(), T.IntegerType()
TEXTS = T.ArrayType(TEXT)
